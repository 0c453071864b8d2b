package ilbc

// widen moves the filter's poles, or zeros, towards the origin: a[i]·factor^i. Its
// resonances get wider.
func (a *filter) widen(factor float64) (wide filter) {
	scale := 1.0
	for i, c := range a {
		wide[i] = c * scale
		scale *= factor
	}
	return wide
}

// remove writes what the filter leaves of samples[order:], after order samples of what
// was before them (section 3.3).
func (a *filter) remove(residual, samples []float64) {
	for i := range residual {
		past := samples[i : i+order+1]
		sum := past[order]
		for k := 1; k <= order; k++ {
			sum += a[k] * past[order-k]
		}
		residual[i] = sum
	}
}

// restore is the inverse, in place: signal[order:] is the residual before and the
// samples after. The first order samples are those before it (section 4.7).
func (a *filter) restore(signal []float64) {
	for i := order; i < len(signal); i++ {
		past := signal[i-order : i+1]
		sum := past[order]
		for k := 1; k <= order; k++ {
			sum -= a[k] * past[order-k]
		}
		past[order] = sum
	}
}

// disperse filters signal in place by an all-pass with the filter's poles, as if the
// signal went round in a circle: what comes after its end is added to its beginning.
// It spreads the energy of the start state over its samples (section 3.5.2).
func (a *filter) disperse(signal []float64) {
	var buffer [2 * (order + 2*maxState)]float64
	n := len(signal)
	in, out := buffer[:order+2*n], buffer[order+2*maxState:]
	copy(in[order:], signal)
	for i := range 2 * n {
		sum := in[i] // the numerator is the filter, backwards: its last coefficient is 1
		for k := 1; k <= order; k++ {
			sum += a[k]*in[i+k] - a[k]*out[order+i-k]
		}
		out[order+i] = sum
	}
	for i := range signal {
		signal[i] = out[order+i] + out[order+n+i]
	}
}

// highPass takes out the direct voltage and hum (sections 3.1 and 4.8).
type highPass struct {
	zeros, poles [2]float64 // gain of the three zeros' ends and their middle; the two poles
	in, out      [2]float64 // the last two samples, newest first
}

// newInputFilter is for the encoder, at 90 Hz.
func newInputFilter() highPass {
	return highPass{zeros: [2]float64{0.92727436, -1.8544941}, poles: [2]float64{-1.9059465, 0.9114024}}
}

// newOutputFilter is for the decoder, at 65 Hz.
func newOutputFilter() highPass {
	return highPass{zeros: [2]float64{0.93980581, -1.8795834}, poles: [2]float64{-1.9330735, 0.93589199}}
}

func (h *highPass) next(x float64) float64 {
	y := h.zeros[0]*(x+h.in[1]) + h.zeros[1]*h.in[0] - h.poles[0]*h.out[0] - h.poles[1]*h.out[1]
	if y < tiny && y > -tiny {
		y = 0
	}
	h.in[0], h.in[1] = x, h.in[0]
	h.out[0], h.out[1] = y, h.out[0]
	return y
}

// tiny is nothing, in units of a sample. Filters that ring on below it would end in
// numbers that processors are slow with.
const tiny = 1e-20

// dot is the inner product of two vectors of the same length.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// energy is the sum of squares.
func energy(a []float64) float64 { return dot(a, a) }
