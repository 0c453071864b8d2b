package g726

// scale is the quantizer's step: a logarithm to base 2 with 9 fractional bits. It
// follows speech quickly and data of modems slowly, by a mix of two factors.
type scale struct {
	fast  int // YU, 544 to 5120
	slow  int // YL: the same with 6 more fractional bits
	speed int // AP: 0 is slow, 256 and more is fast

	shortTerm, longTerm int  // DMS and DML: averages of the codes' F(I)
	tone                bool // TD: the signal is narrow, such as a modem's
}

func newScale() scale { return scale{fast: 544, slow: 34816} }

// mix is LIMA and MIX.
func (s *scale) mix() int {
	slow := s.slow >> 6
	share := min(s.speed>>2, 64)
	return slow + (s.fast-slow)*share/64 // the quotient is rounded towards zero
}

// transition is TRANS: a tone gives way to something else.
func (s *scale) transition(difference int) bool {
	exponent, fraction := s.slow>>15, s.slow>>10&31
	threshold := 31 << 10
	if exponent <= 9 {
		threshold = (32 + fraction) << exponent
	}
	return s.tone && difference > (threshold+threshold>>1)>>1
}

// rescale is FUNCTW, FILTD, LIMB and FILTE.
func (s *scale) rescale(weight, mixed int) {
	s.fast = max(544, min(mixed+(weight<<5-mixed)>>5, 5120))
	s.slow += s.fast + -s.slow>>6
}

// steer is FUNCTF, FILTA, FILTB, SUBTC, FILTC and TRIGA.
func (s *scale) steer(speed, mixed int, transition bool) {
	s.shortTerm += (speed<<9 - s.shortTerm) >> 5
	s.longTerm += (speed<<11 - s.longTerm) >> 7
	apart := s.shortTerm<<2 - s.longTerm
	target := 0
	if mixed < 1536 || s.tone || max(apart, -apart) >= s.longTerm>>3 {
		target = 512
	}
	s.speed += (target - s.speed) >> 4
	if transition {
		s.speed = 256
	}
}
