package gsm

// reflections are the coefficients of the lattice filter that fits a frame best, r
// (sections 5.2.4 and 5.2.5). The samples lose the bits that the scaling for the
// autocorrelation costs, as in the standard.
func reflections(s *[FrameSamples]int16) [order]int16 {
	sums := autocorrelation(s)
	return schur(&sums)
}

// autocorrelation is section 5.2.4.
func autocorrelation(s *[FrameSamples]int16) (sums [order + 1]int32) {
	shift := 0
	if peak := largest(s[:]); peak > 0 {
		shift = max(0, 4-norm(int32(peak)<<16))
	}
	if shift > 0 {
		for k := range s {
			s[k] = mulRound(s[k], 1<<14>>(shift-1))
		}
	}
	for lag := range sums {
		for k := lag; k < len(s); k++ {
			sums[lag] += int32(s[k]) * int32(s[k-lag])
		}
		sums[lag] <<= 1
	}
	for k := range s {
		s[k] <<= shift
	}
	return sums
}

// schur is the recursion of section 5.2.5.
func schur(sums *[order + 1]int32) (r [order]int16) {
	if sums[0] == 0 {
		return r
	}
	var p [order + 1]int16
	shift := norm(sums[0])
	for i, sum := range sums {
		p[i] = int16(sum << shift >> 16)
	}
	k := p // P and K of the standard: both rows begin with the normalized sums
	for n := range r {
		size := abs(p[1])
		if p[0] < size {
			return r // not stable: the rest is zero
		}
		r[n] = div(size, p[0])
		if p[1] > 0 {
			r[n] = -r[n]
		}
		p[0] = add(p[0], mulRound(p[1], r[n]))
		for m := 1; m < order-n; m++ {
			p[m], k[m] = add(p[m+1], mulRound(k[m], r[n])), add(k[m], mulRound(p[m+1], r[n]))
		}
	}
	return r
}
