package g726

import "math/bits"

// state is what encoder and decoder share: the predictor, of two poles and six
// zeros, and the scale. What the Recommendation gives 16 bits wraps at 16 bits
// here too; int is only the type of the arithmetic.
type state struct {
	scale    scale
	estimate int // SE: the prediction of the next sample, 15 bits
	zeroPart int // SEZ: the share of it that comes from the zeros

	poles       [2]int   // A, 14 fractional bits
	zeros       [6]int   // B, 14 fractional bits
	rebuilt     [2]float // SR: the reconstructed signal, newest first
	differences [6]float // DQ: the quantized differences, newest first
	partial     [2]bool  // PK: whether the zeros' part with the difference was negative, newest first
}

func newState() state {
	s := state{scale: newScale()}
	zero := newFloat(0, false)
	for i := range s.rebuilt {
		s.rebuilt[i] = zero
	}
	for i := range s.differences {
		s.differences[i] = zero
	}
	return s
}

// predict is FMULT and ACCUM.
func (s *state) predict() {
	sum := 0
	for i, z := range s.zeros {
		sum += s.differences[i].times(z)
	}
	s.zeroPart = wrap(sum) >> 1
	for i, p := range s.poles {
		sum += s.rebuilt[i].times(p)
	}
	s.estimate = wrap(sum) >> 1
}

// update takes the code of a sample, with the scale of predict's moment, and
// returns the reconstructed sample, 14 bits.
func (s *state) update(q *quantizer, code, mixed int) (rebuilt int) {
	negative, magnitude := q.split(code)
	difference := q.rebuild(magnitude, mixed)
	transition := s.scale.transition(difference)
	s.scale.rescale(q.weight[magnitude], mixed)

	signed := difference
	if negative {
		signed = -difference
	}
	rebuilt = wrap(s.estimate + signed)                // ADDB
	partial := wrap(rebuilt - s.estimate + s.zeroPart) // ADDC
	s.adaptPoles(partial)
	s.adaptZeros(difference, negative, q.leak)
	s.scale.tone = s.poles[1] < -11776 // TONE
	if transition {                    // TRIGB
		s.poles, s.zeros, s.scale.tone = [2]int{}, [6]int{}, false
	}
	s.scale.steer(q.speed[magnitude], mixed, transition)

	copy(s.differences[1:], s.differences[:5])
	s.differences[0] = newFloat(difference, negative)
	s.rebuilt[1] = s.rebuilt[0]
	s.rebuilt[0] = newFloat(max(rebuilt, -rebuilt)&32767, rebuilt < 0)
	s.partial[1] = s.partial[0]
	s.partial[0] = partial < 0
	return rebuilt
}

// adaptPoles is UPA2, LIMC, UPA1 and LIMD: a step along the sign of the gradient,
// kept inside the triangle where the pole filter is stable.
func (s *state) adaptPoles(partial int) {
	same1 := partial < 0 == s.partial[0]
	same2 := partial < 0 == s.partial[1]
	first := s.poles[0] - s.poles[0]>>8
	second := s.poles[1] - s.poles[1]>>7
	if partial != 0 {
		gradient := max(-8191, min(s.poles[0], 8191)) << 2
		second += (signed(16384, same2) - signed(gradient, same1)) >> 7
		first += signed(192, same1)
	}
	second = max(-12288, min(second, 12288))
	limit := 15360 - second
	s.poles = [2]int{max(-limit, min(first, limit)), second}
}

// adaptZeros is XOR and UPB.
func (s *state) adaptZeros(difference int, negative bool, leak int) {
	step := 128
	if difference == 0 {
		step = 0
	}
	for i, z := range s.zeros {
		same := negative == s.differences[i].negative
		s.zeros[i] = wrap(z + signed(step, same) - z>>leak)
	}
}

// float is a number as FLOATA and FLOATB make it: mantissa·2^(exponent-6), with a
// mantissa of six bits of which the uppermost is set. A zero keeps its sign.
type float struct {
	mantissa, exponent int
	negative           bool
}

func newFloat(magnitude int, negative bool) float {
	if magnitude == 0 {
		return float{mantissa: 32, negative: negative}
	}
	exponent := bits.Len(uint(magnitude))
	return float{mantissa: magnitude << 6 >> exponent, exponent: exponent, negative: negative}
}

// times is FMULT: the product with a coefficient, 1 fractional bit.
func (f float) times(coefficient int) int {
	c := coefficient >> 2
	factor := newFloat(max(c, -c)&8191, c < 0)
	mantissa := (f.mantissa*factor.mantissa + 48) >> 4
	product := mantissa << 7 << (f.exponent + factor.exponent) >> 26 & 32767
	return signed(product, f.negative == factor.negative)
}

func signed(v int, positive bool) int {
	if positive {
		return v
	}
	return -v
}

func wrap(v int) int { return int(int16(v)) }
