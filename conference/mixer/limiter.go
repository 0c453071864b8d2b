package mixer

const (
	// ceiling is the loudest sample that is let through as it is, -1.9 dBFS. Above it the
	// whole mix is turned down.
	ceiling = 26_300
	// recovery is by how much the gain comes back in a frame: 0.9 dB, 45 dB/s.
	recovery = unity * 109 / 100
	// patience is for how many frames the gain stays where it is after it was needed. A
	// low note that is louder than the ceiling all the time is thus turned down evenly.
	patience = 5
	// quickest is how long the gain takes to fall, at the least: 1 ms, as a part of a
	// second. What is over the ceiling within it is bent (see knee), not cut.
	quickest = 1000
)

// limiter turns a mix down where it would be cut off. It looks ahead within the frame: the
// gain falls from the frame's beginning until its first sample over the ceiling, and stays
// for the rest of the frame, so that a wave keeps its form. The zero value is ready.
type limiter struct {
	lowered int // by how much the gain is below unity
	hold    int // frames before it may rise
}

// plan gives the gain for a frame of which loudest gives the highest magnitudes.
func (l *limiter) plan(peak int, first func(over int) int, rate int) ramp {
	gain := unity - l.lowered
	need := unity
	if peak > ceiling {
		need = ceiling * unity / peak
	}
	switch {
	case need < gain:
		l.lowered, l.hold = unity-need, patience
		return ramp{gain, need, max(first(ceiling*unity/gain), rate/quickest)}
	case gain == unity:
		return ramp{unity, unity, 0}
	case l.hold > 0:
		l.hold--
		return ramp{gain, gain, 0}
	}
	up := min(gain*recovery/unity, need)
	l.lowered = unity - up
	return ramp{gain, up, rate / 50}
}

// limit is plan for one signal.
func (l *limiter) limit(pcm []int32, rate int) ramp {
	return l.plan(peakOf(pcm), func(over int) int { return firstOver(pcm, over) }, rate)
}

// peakOf is the highest magnitude.
func peakOf(pcm []int32) int {
	var high, low int32
	for _, v := range pcm {
		high, low = max(high, v), min(low, v)
	}
	return int(max(high, -low))
}

// firstOver is the index of the first sample whose magnitude is over a limit; len(pcm) if
// there is none.
func firstOver(pcm []int32, over int) int {
	for i, v := range pcm {
		if int(v) > over || int(-v) > over {
			return i
		}
	}
	return len(pcm)
}

// write puts pcm into out at the gain of a frame.
func (r ramp) write(out []int16, pcm []int32) {
	pcm = pcm[:len(out)]
	if r.still() {
		for i, v := range pcm {
			out[i] = knee(v)
		}
		return
	}
	for i, v := range pcm {
		out[i] = knee(int32(int(v) * r.at(i) >> 16))
	}
}

// knee bends what is over the ceiling, the more the louder, so that it never reaches full
// scale.
func knee(v int32) int16 {
	const room = 32_767 - ceiling
	switch {
	case v > ceiling:
		over := v - ceiling
		return int16(ceiling + room*int(over)/int(over+room))
	case v < -ceiling:
		over := -v - ceiling
		return int16(-ceiling - room*int(over)/int(over+room))
	}
	return int16(v)
}
