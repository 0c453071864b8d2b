package gsm

// past is the short term residual as a decoder has it, dp and drp, oldest first:
// what the long term prediction looks back at.
type past [longest]int16

// gainLevel and gainStep are what each gain code decodes to, and where one ends
// and the next begins (tables 5.3a and 5.3b).
var (
	gainLevel = [4]int16{3277, 11469, 21299, 32767}
	gainStep  = [3]int16{6554, 16384, 26214}
)

// encode gives the parameters of a quarter of residual, d, and remembers what a
// decoder will make of them (sections 5.2.11 to 5.2.18).
func (p *past) encode(d *[quarter]int16) (f subframe) {
	f.lag, f.gain = p.search(d)
	foretold := p.foretell(f.lag, f.gain)
	rest := *d // e
	for k := range rest {
		rest[k] = sub(rest[k], foretold[k])
	}
	f.encodePulses(&rest)
	p.remember(&f, &foretold)
	return f
}

// decode makes the residual of a quarter (section 5.3.2).
func (p *past) decode(f *subframe, lag int16) [quarter]int16 {
	foretold := p.foretell(lag, f.gain)
	return p.remember(f, &foretold)
}

// foretell is what the past says of a quarter, dpp.
func (p *past) foretell(lag, gain int16) (foretold [quarter]int16) {
	level := gainLevel[gain]
	for k := range foretold {
		foretold[k] = mulRound(level, p[longest-int(lag)+k])
	}
	return foretold
}

// remember adds the pulses to what was foretold, which is the residual.
func (p *past) remember(f *subframe, foretold *[quarter]int16) [quarter]int16 {
	residual := f.decodePulses()
	for k := range residual {
		residual[k] = add(residual[k], foretold[k])
	}
	copy(p[:], p[quarter:])
	copy(p[longest-quarter:], residual[:])
	return residual
}

// search finds the lag at which the past is most like a quarter, and the code of
// the gain (section 5.2.11).
func (p *past) search(d *[quarter]int16) (lag, gain int16) {
	// Nine bits of the quarter are enough, and let the sums not overflow.
	shift := 0
	if peak := largest(d[:]); peak > 0 {
		shift = max(0, 6-norm(int32(peak)<<16))
	}
	w := *d
	for k := range w {
		w[k] >>= shift
	}
	likeness := int32(0)
	lag = shortest
	for n := shortest; n <= longest; n++ {
		sum := int32(0)
		for k, v := range p[longest-n : longest-n+quarter] {
			sum += int32(w[k]) * int32(v)
		}
		if sum > likeness {
			likeness, lag = sum, int16(n)
		}
	}
	likeness = likeness << 1 >> (6 - shift)

	power := int32(0)
	for _, v := range p[longest-int(lag):][:quarter] {
		power += int32(v>>3) * int32(v>>3)
	}
	return lag, gainCode(likeness, power<<1)
}

func gainCode(likeness, power int32) int16 {
	if likeness <= 0 {
		return 0
	}
	if likeness >= power {
		return 3
	}
	shift := norm(power)
	r, s := int16(likeness<<shift>>16), int16(power<<shift>>16)
	for code, step := range gainStep {
		if r <= mul(s, step) {
			return int16(code)
		}
	}
	return 3
}
