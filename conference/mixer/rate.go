package mixer

import "github.com/conclave-voice/conclave/media/noise"

// soon is for how many ticks a change of the rate waits for a moment in which nobody
// makes a sound: half a second.
const soon = 25

// rate is the sample rate of a mix, and how it changes. It changes between two frames:
// while there is silence, or else the last frame at the old rate fades out and the first
// at the new one fades in. So resamplers begin and end with silence, and nothing clicks.
type rate struct {
	now     int // Hz
	waited  int // ticks for which another one has been wanted
	leaving bool
	coming  bool
}

// next settles the rate of the tick. silent says that nothing can be heard in it. It is
// true if the rate is another one than in the last tick.
func (r *rate) next(want int, silent bool) bool {
	r.coming = false
	switch {
	case want == r.now:
		if r.leaving { // the one that wanted it has gone
			r.leaving, r.coming = false, true
		}
		r.waited = 0
		return false
	case r.now == 0 || silent && !r.leaving:
	case r.leaving:
		r.leaving, r.coming = false, true
	default:
		r.waited++
		r.leaving = r.waited >= soon
		return false
	}
	r.now, r.waited = want, 0
	return true
}

// smooth fades what is mixed where the rate changes.
func (r *rate) smooth(signals ...[]int32) {
	if !r.leaving && !r.coming {
		return
	}
	for _, pcm := range signals {
		switch {
		case len(pcm) == 0:
		case r.leaving:
			fadeOut(pcm, r.now)
		default:
			fade(0, unity, r.now).apply(pcm)
		}
	}
}

// settleRate finds the rate of this tick.
func (m *Mixer) settleRate(best int) {
	m.lull = !m.room.playing() && !m.waiting
	for _, p := range m.may {
		m.lull = m.lull && !(p.turn.placed && p.turn.quiet == 0)
	}
	if !m.rate.next(mixRate(best), m.lull) {
		return
	}
	m.widen(m.rate.now)
	m.sum = resized(m.sum, m.rate.now/50)
	m.comfort = nil
	if level := m.config.Comfort; level != 0 {
		m.comfort = noise.New(m.rate.now, noise.FromDBm0(level))
	}
}
