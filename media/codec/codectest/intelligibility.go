package codectest

import "math"

// The measure's frames, at 8 kHz.
const (
	stoiFrame   = 205 // samples, 25.6 ms
	stoiHop     = stoiFrame / 2
	stoiBins    = 512 // of the spectrum; frames are padded
	stoiBands   = 14  // thirds of an octave from 150 Hz
	stoiSegment = 30  // frames that are compared at a time, 384 ms
	stoiRange   = 40  // dB below the loudest frame where silence begins
	stoiClip    = 15  // dB: how much worse than silence a frame can count
)

// Intelligibility is how much of speech of 8 kHz can be understood, 0 to 1, by the
// short-time objective measure of Taal, Hendriks, Heusdens and Jensen (STOI, 2011): how
// alike the envelopes of both are in each band. It fits vocoders, whose waveform is not
// that of the original. It was made for 10 kHz; the highest band is left out here. The
// two must be aligned to some milliseconds; and have half a second of speech.
func Intelligibility(reference, degraded []int16) float64 {
	clean, noisy := envelopes(reference, degraded)
	sum, n := 0.0, 0
	for band := range stoiBands {
		for from := 0; from+stoiSegment <= len(clean); from++ {
			var x, y [stoiSegment]float64
			for i := range x {
				x[i], y[i] = clean[from+i][band], noisy[from+i][band]
			}
			sum += likeness(&x, &y)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// envelopes are the amplitudes in each band, by frame, where the reference is not
// silent.
func envelopes(reference, degraded []int16) (clean, noisy [][stoiBands]float64) {
	spectrum := newSpectrum()
	frames := (min(len(reference), len(degraded)) - stoiFrame) / stoiHop
	loudest := 0.0
	for i := range frames {
		loudest = max(loudest, power(reference[i*stoiHop:][:stoiFrame]))
	}
	for i := range frames {
		r, d := reference[i*stoiHop:][:stoiFrame], degraded[i*stoiHop:][:stoiFrame]
		if power(r) > loudest*math.Pow(10, -stoiRange/10.0) {
			clean, noisy = append(clean, spectrum.bands(r)), append(noisy, spectrum.bands(d))
		}
	}
	return clean, noisy
}

func power(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}

// spectrum has the tables for the bands of a frame.
type spectrum struct {
	window   [stoiFrame]float64
	sin, cos [stoiBins]float64
	band     [stoiBins / 2]int // of a bin; -1: none
}

func newSpectrum() *spectrum {
	s := &spectrum{}
	for i := range s.window {
		s.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i+1)/(stoiFrame+1))
	}
	for i := range s.sin {
		s.sin[i], s.cos[i] = math.Sincos(2 * math.Pi * float64(i) / stoiBins)
	}
	for bin := range s.band {
		// The band whose edges, a sixth of an octave about its middle, enclose it.
		hz := max(float64(bin)*8000/stoiBins, 1)
		s.band[bin] = int(math.Floor(3*math.Log2(hz/150) + 0.5))
		if s.band[bin] < 0 || s.band[bin] >= stoiBands {
			s.band[bin] = -1
		}
	}
	return s
}

// bands are the amplitudes of a frame in thirds of an octave.
func (s *spectrum) bands(pcm []int16) (amplitude [stoiBands]float64) {
	var shaped [stoiFrame]float64
	for i, v := range pcm {
		shaped[i] = float64(v) * s.window[i]
	}
	for bin, band := range s.band {
		if band < 0 {
			continue
		}
		re, im := 0.0, 0.0
		for i, v := range shaped {
			re += v * s.cos[bin*i%stoiBins]
			im += v * s.sin[bin*i%stoiBins]
		}
		amplitude[band] += re*re + im*im
	}
	for i, a := range amplitude {
		amplitude[i] = math.Sqrt(a)
	}
	return amplitude
}

// likeness correlates two envelopes, of which the second is brought to the level of
// the first and bounded.
func likeness(x, y *[stoiSegment]float64) float64 {
	level := math.Sqrt(dot(x, x) / (dot(y, y) + 1e-9))
	bound := 1 + math.Pow(10, stoiClip/20.0)
	for i := range y {
		y[i] = min(level*y[i], bound*x[i])
	}
	center(x)
	center(y)
	return dot(x, y) / (math.Sqrt(dot(x, x)*dot(y, y)) + 1e-9)
}

func center(v *[stoiSegment]float64) {
	mean := 0.0
	for _, e := range v {
		mean += e / stoiSegment
	}
	for i := range v {
		v[i] -= mean
	}
}

func dot(a, b *[stoiSegment]float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
