package ilbc

import "math"

const (
	window   = 240                // samples that one spectrum is measured on
	lookBack = 60                 // samples before a frame of 30 ms that its first spectrum sees
	chirp    = 0.9025             // widens the resonances of what is sent (section 3.2.2)
	lagWidth = 2 * math.Pi * 60.0 // of the spectral smoothing, in radians a second
)

// windows are those of section 3.2.1.
type windows struct {
	symmetric  [window]float64 // in the middle of a frame
	asymmetric [window]float64 // at its end: there is no look-ahead
	lags       [order + 1]float64
}

func newWindows() *windows {
	w := &windows{}
	for i := range w.symmetric {
		w.symmetric[i] = 0.5 * (1 - math.Cos(2*math.Pi*float64(i+1)/(window+1)))
		if i < 220 {
			s := math.Sin(math.Pi * float64(i+1) / 441)
			w.asymmetric[i] = s * s
		} else {
			w.asymmetric[i] = math.Cos(float64(i-220) * math.Pi / 40)
		}
	}
	w.lags[0] = 1.0001 // a floor of white noise, 40 dB below
	for i := 1; i <= order; i++ {
		x := lagWidth * float64(i) / 8000
		w.lags[i] = math.Exp(-0.5 * x * x)
	}
	return w
}

// analyser measures the spectrum of speech.
type analyser struct {
	windows *windows
	speech  [lookBack + window]float64 // the newest samples, oldest first
	last    spectrum                   // of the frame before
}

// measure takes the next frame and writes its spectra.
func (a *analyser) measure(m *mode, speech []float64, spectra []spectrum) {
	copy(a.speech[:], a.speech[len(speech):])
	copy(a.speech[len(a.speech)-len(speech):], speech)
	if m.sets == 2 {
		a.spectrum(a.speech[:window], &a.windows.symmetric, &spectra[0])
	}
	a.spectrum(a.speech[lookBack:], &a.windows.asymmetric, &spectra[m.sets-1])
}

func (a *analyser) spectrum(speech []float64, shape *[window]float64, s *spectrum) {
	var seen [window]float64
	for i := range seen {
		seen[i] = speech[i] * shape[i]
	}
	var correlation [order + 1]float64
	for lag := range correlation {
		correlation[lag] = dot(seen[:window-lag], seen[lag:]) * a.windows.lags[lag]
	}
	predictor := levinson(&correlation)
	wide := predictor.widen(chirp)
	if !s.fromFilter(&wide) {
		*s = a.last // no spectrum that a sum of sines could have
	}
	a.last = *s
}

// levinson finds the filter that leaves the least of a signal with these
// autocorrelations, by the recursion of Levinson and Durbin.
func levinson(r *[order + 1]float64) filter {
	a := filter{1}
	left := r[0] // energy that is not predicted
	if left < 1e-9 {
		return a // silence
	}
	for m := 1; m <= order; m++ {
		sum := r[m]
		for i := 1; i < m; i++ {
			sum += a[i] * r[m-i]
		}
		reflection := -sum / left
		before := a
		for i := 1; i < m; i++ {
			a[i] += reflection * before[m-i]
		}
		a[m] = reflection
		left += reflection * sum
	}
	return a
}
