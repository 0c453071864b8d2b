package mixer

import "time"

// Sound is audio to be played: a prompt, a tone, a recorded name.
type Sound interface {
	// PCM is the whole sound at 8000, 16000 or 48000 Hz. It is not to be changed. The
	// first call at a rate may take long; the next ones do not.
	PCM(rate int) []int16
}

// prepare has the first call made outside of the tick.
func prepare(rate int, sounds []Sound) {
	for _, s := range sounds {
		if _, pause := s.(Pause); !pause && rate > 0 {
			s.PCM(rate)
		}
	}
}

// Pause is silence, as long as it says.
type Pause time.Duration

// PCM is zeros.
func (p Pause) PCM(rate int) []int16 {
	return make([]int16, p.samples(rate))
}

func (p Pause) samples(rate int) int {
	return int(time.Duration(p) * time.Duration(rate) / time.Second)
}

// MaxQueue is how many sounds may wait in one player. What does not fit whole is
// dropped: nobody listens to so many announcements. The longest that there is, the
// list of a moderator's keys, has some forty.
const MaxQueue = 64

// player plays sounds one after the other, a frame at a time.
type player struct {
	queue []queued
	frame int // of the first sound, in frames of 20 ms, whatever the rate
	loop  bool
}

type queued struct {
	sound Sound
	tag   int // told when this sound has ended; 0: nobody wants to know
}

// add appends sounds; the last one carries the tag. It says whether all fit.
func (p *player) add(tag int, sounds ...Sound) bool {
	if len(p.queue)+len(sounds) > MaxQueue {
		return false
	}
	for i, s := range sounds {
		q := queued{sound: s}
		if i == len(sounds)-1 {
			q.tag = tag
		}
		p.queue = append(p.queue, q)
	}
	return true
}

func (p *player) stop() { p.queue, p.frame = p.queue[:0], 0 }

func (p *player) playing() bool { return len(p.queue) > 0 }

// next adds the next frame at rate onto out. It returns the tag of a sound that
// ended with this frame, or 0.
func (p *player) next(out []int32, rate int) (ended int) {
	if len(p.queue) == 0 {
		return 0
	}
	if _, pause := p.queue[0].sound.(Pause); !pause {
		pcm := p.queue[0].sound.PCM(rate)
		from := min(p.frame*len(out), len(pcm))
		for i, v := range pcm[from:min(from+len(out), len(pcm))] {
			out[i] += int32(v)
		}
	}
	return p.skip(rate)
}

// skip is next for a frame that nobody hears.
func (p *player) skip(rate int) (ended int) {
	if len(p.queue) == 0 {
		return 0
	}
	length := 0
	switch s := p.queue[0].sound.(type) {
	case Pause:
		length = s.samples(rate)
	default:
		length = len(s.PCM(rate))
	}
	p.frame++
	if p.frame*(rate/50) < length {
		return 0
	}
	p.frame = 0
	if p.loop {
		return 0
	}
	ended = p.queue[0].tag
	copy(p.queue, p.queue[1:])
	p.queue[len(p.queue)-1] = queued{}
	p.queue = p.queue[:len(p.queue)-1]
	return ended
}
