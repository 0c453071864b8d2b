package lpc

import "math"

// hamming is the window, scaled so that it keeps the energy of what it shapes.
func hamming() *[window]float64 {
	var shape [window]float64
	energy := 0.0
	for i := range shape {
		shape[i] = 0.54 - 0.46*math.Cos(2*math.Pi*float64(i)/(window-1))
		energy += shape[i] * shape[i]
	}
	for i := range shape {
		shape[i] *= math.Sqrt(window / energy)
	}
	return &shape
}

// analyse takes the next frame and describes the sound of the window that ends
// with it.
func (e *Encoder) analyse(pcm *[FrameSamples]int16) (p parameters) {
	copy(e.samples[:], e.samples[FrameSamples:])
	for i, s := range pcm {
		e.samples[window-FrameSamples+i] = float64(s) / 32768
	}
	sums := e.autocorrelation()
	p.period = e.pitch.next(pcm)
	p.coefficient = reflections(&sums)
	p.gain = math.Sqrt(drive(sums[0], &p.coefficient))
	return p
}

func (e *Encoder) autocorrelation() (sums [order + 1]float64) {
	var shaped [window]float64
	for i, s := range e.samples {
		shaped[i] = s * e.shape[i]
	}
	for lag := range sums {
		for i, s := range shaped[lag:] {
			sums[lag] += s * shaped[i]
		}
	}
	return sums
}

// floor is the energy that is driven with a gain of two steps: some 66 dB below full
// scale.
const floor = 2.0 * 2 / (256 * 256)

// reflections is the recursion of Levinson and Durbin. A little noise is added: 40 dB
// below the signal, or a pure tone would ask for a filter that rings for ever; and at
// least so much that the gain of a quiet voice has steps enough.
func reflections(sums *[order + 1]float64) (k [order]float64) {
	var predictor, last [order + 1]float64
	rest := sums[0] + max(1e-4*sums[0], floor)
	for i := range k {
		sum := sums[i+1]
		for j := 1; j <= i; j++ {
			sum += predictor[j] * sums[i+1-j]
		}
		k[i] = -sum / rest
		last = predictor
		predictor[i+1] = k[i]
		for j := 1; j <= i; j++ {
			predictor[j] += k[i] * last[i+1-j]
		}
		rest *= 1 - k[i]*k[i]
	}
	return k
}

// drive is the energy that must go into the filter so that as much comes out as
// went into the analysis, with the coefficients as they are sent.
func drive(energy float64, k *[order]float64) float64 {
	for _, c := range k {
		sent := quantum(c) / 128
		energy *= 1 - sent*sent
	}
	return energy
}
