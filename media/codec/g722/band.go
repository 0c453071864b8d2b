package g722

// band is the adaptive predictor and quantizer scale of one sub-band. Encoder
// and decoder run the same one on the same codes, so that they stay in step
// without being told (section 3.5 and 3.6, in the fixed-point form of 6.2.1.4).
//
// All values are 16-bit in the Recommendation and are saturated where it says
// so; int is only the type of the arithmetic.
type band struct {
	scale    int // DETL or DETH: the quantizer's step
	logScale int // NBL or NBH: its logarithm, 11 fractional bits

	estimate int // S: the prediction of the next sample
	zeroPart int // SZ: the share of it that comes from the zeros

	difference [7]int // D: quantized differences, newest first; [0] is the current one
	zeros      [7]int // B: coefficients, [1] to [6]
	poles      [3]int // A: coefficients, [1] and [2]
	rebuilt    [3]int // R: reconstructed signal, newest first
	partial    [3]int // P: partially reconstructed signal, newest first
}

// update takes the quantized difference of one sample and predicts the next.
func (b *band) update(difference int) {
	b.difference[0] = difference
	b.rebuilt[0] = saturate(b.estimate + difference)
	b.partial[0] = saturate(b.zeroPart + difference)
	b.adaptPoles()
	b.adaptZeros()
	copy(b.rebuilt[1:], b.rebuilt[:2])
	copy(b.partial[1:], b.partial[:2])
	b.predict()
}

// adaptPoles is UPPOL2 and UPPOL1: a sign-sign gradient step, kept inside the
// triangle where the pole filter is stable.
func (b *band) adaptPoles() {
	same1 := b.partial[0] < 0 == (b.partial[1] < 0)
	same2 := b.partial[0] < 0 == (b.partial[2] < 0)

	gradient := saturate(b.poles[1] << 2)
	if same1 {
		gradient = min(-gradient, 32767)
	}
	second := gradient>>7 + signed(128, same2) + b.poles[2]*32512>>15
	second = max(-12288, min(second, 12288))

	first := saturate(signed(192, same1) + b.poles[1]*32640>>15)
	limit := saturate(15360 - second)
	b.poles[1] = max(-limit, min(first, limit))
	b.poles[2] = second
}

// adaptZeros is UPZERO, with the shift of the differences.
func (b *band) adaptZeros() {
	step := 128
	if b.difference[0] == 0 {
		step = 0
	}
	negative := b.difference[0] < 0
	for i := 6; i > 0; i-- {
		same := negative == (b.difference[i] < 0)
		b.zeros[i] = saturate(signed(step, same) + b.zeros[i]*32640>>15)
	}
	copy(b.difference[1:], b.difference[:6])
}

// predict is FILTEP, FILTEZ and PREDIC.
func (b *band) predict() {
	fromPoles := saturate(b.poles[1]*saturate(2*b.rebuilt[1])>>15 + b.poles[2]*saturate(2*b.rebuilt[2])>>15)
	sum := 0
	for i := 6; i > 0; i-- {
		sum += b.zeros[i] * saturate(2*b.difference[i]) >> 15
	}
	b.zeroPart = saturate(sum)
	b.estimate = saturate(fromPoles + b.zeroPart)
}

// rescale is LOGSCL and SCALEL, or LOGSCH and SCALEH: the logarithm of the step
// leaks towards zero, moves by a weight that depends on the code, and is turned
// back into a step.
func (b *band) rescale(weight, most, shift int) {
	b.logScale = max(0, min(b.logScale*127>>7+weight, most))
	s := shift - b.logScale>>11
	mantissa := antilog[b.logScale>>6&31]
	if s < 0 {
		b.scale = mantissa << -s << 2
	} else {
		b.scale = mantissa >> s << 2
	}
}

func (b *band) rescaleLow(weight int)  { b.rescale(weight, 18432, 8) }
func (b *band) rescaleHigh(weight int) { b.rescale(weight, 22528, 10) }

func signed(v int, positive bool) int {
	if positive {
		return v
	}
	return -v
}

func saturate(v int) int { return max(-32768, min(v, 32767)) }
