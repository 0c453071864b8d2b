package mixer

import "github.com/conclave-voice/conclave/media/session"

// Where the codec has memory, one who is about to share the encoding of others goes on for
// a while with its own, of the same audio, until both encoders are much alike, and then
// until nobody makes a sound. With G.722 the change adds -42 dBFS of noise for 0.1 s after
// the while, as much as the codec has by itself, and less in a pause; at once it would add
// -24 dBFS (measured under speech).
const (
	alike  = 5   // ticks, 0.1 s
	steady = 100 // ticks, 2 s, after which no pause is waited for any more
)

// giveAll sends all ports their frames: first to those who have one of their own, for an
// encoder that goes over from a shared one takes its state as of the last tick.
func (m *Mixer) giveAll(by *session.Traffic) {
	for _, p := range m.ports {
		p.mu.Lock()
		if p.output.alone = m.alone(p); p.output.alone {
			m.giveAlone(p, by)
		}
		p.mu.Unlock()
	}
	for _, p := range m.ports {
		p.mu.Lock()
		if !p.output.alone && p.rate > 0 {
			m.shared(p).send(p, by)
		}
		p.mu.Unlock()
	}
}

// shared is what the port hears, its own voice and sounds apart.
func (m *Mixer) shared(p *Port) *frame {
	switch {
	case p.mode.Music && (!p.mode.Hears || !m.announcing):
		return &m.tune
	case p.mode.Hears:
		return &m.full
	default:
		return &m.quiet
	}
}

// alone says whether a port has a frame of its own.
func (m *Mixer) alone(p *Port) bool {
	if p.rate == 0 {
		return false // nothing negotiated yet
	}
	out := &p.output
	if m.differs(p) {
		out.since = 0
		return true
	}
	if out.since == steady {
		return false
	}
	out.since++
	_, _, stateful := p.media.Sharing()
	if !stateful || out.since > alike && m.lull {
		out.since = steady
	}
	return out.since < steady
}

// differs says whether a port hears something that nobody else does.
func (m *Mixer) differs(p *Port) bool {
	if p.player.playing() {
		return true
	}
	switch m.shared(p) {
	case &m.quiet:
		return false
	case &m.full:
		if p.input.mixed {
			return true
		}
	}
	return p.hear != unity || p.output.gain != unity
}

// giveAlone sends a port the mix less its own voice (N-1), at the volume that it chose,
// with its own sounds. All of that is at the port's rate: subtracting after resampling is
// the same as before, and what is under way in a resampler is not lost when a listener
// begins to speak.
func (m *Mixer) giveAlone(p *Port, by *session.Traffic) {
	n := p.rate / 50
	out := m.wide[:n]
	from := m.shared(p)
	if from == &m.full && p.input.mixed {
		m.subtract(p, out)
	} else {
		extend(out, from.at(p.rate))
	}
	gain := p.hear
	playing := p.player.playing()
	if playing {
		gain = gain * duck / unity
	}
	fade(p.output.gain, gain, p.rate).apply(out)
	p.output.gain = gain
	if playing {
		if tag := p.player.next(out, p.rate); tag != 0 {
			p.emit(Event{Kind: EventPlayed, Tag: tag})
		}
	}
	p.output.limit.limit(out, p.rate).write(m.scratch[:n], out)
	by.Send(p.media, m.scratch[:n])
}

// extend copies pcm to out, whose samples have more bits.
func extend(out []int32, pcm []int16) {
	out = out[:len(pcm)]
	for i, v := range pcm {
		out[i] = int32(v)
	}
}

// subtract makes the mix less the port's own voice.
func (m *Mixer) subtract(p *Port, out []int32) {
	mix, own := m.full.at(p.rate), p.input.own
	if p.rate == m.rate.now {
		out, own = out[:len(mix)], own[:len(mix)]
		for i, v := range mix {
			out[i] = int32(v) - own[i]
		}
		return
	}
	extend(out, mix)
	m.second = resized(m.second, len(out))
	narrow, at := m.scratch[:len(own)], m.second
	for i, v := range own {
		narrow[i] = saturate(v)
	}
	p.output.down.run(at, narrow, m.rate.now, p.rate, m.tick)
	for i, v := range at {
		out[i] -= int32(v)
	}
}
