package mixer

// Tap is given what is heard in a mixer, such as to record it. It is called in the tick:
// it must not block, must not call the mixer or its ports, and keeps no slice that it is
// given.
type Tap interface {
	// Voice is one port's voice of this tick, at the volume and rate, in Hz, of the mix.
	// Ports that are not heard, such as one of a crowd that is silent, have none.
	Voice(p *Port, rate int, pcm []int16)
	// Frame is everybody's mix of this tick, with announcements. It comes once in each
	// tick, after the voices.
	Frame(rate int, mix []int16)
}

// SetTap has the tap called from the next tick on, in place of the one before; nil calls
// none. When it returns, the tick calls the one before no more.
func (m *Mixer) SetTap(t Tap) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tap = t
}
