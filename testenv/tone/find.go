package tone

import (
	"math"
	"time"
)

// Alike is the likeness from which on [Find] has found what was said, and not
// another sentence of the same voice.
const Alike = 0.78

// The picture by which sounds are compared.
const (
	pictureStep   = 20 * time.Millisecond
	pictureWindow = 40 * time.Millisecond
	pictureFloor  = -55.0 // dBFS: what is quieter counts as this
	// The bands, in Hz, are those that a telephone passes, each some two main lobes
	// of the window from the next.
	bands, bandFirst, bandStep = 25, 300.0, 125.0
)

// Find looks where a sound is most like said, such as a prompt in what a telephone
// heard, and how like: 1 is the same, 0 is nothing in common. It compares levels in
// bands of frequency over time, so that a codec, a steady tone underneath, or a
// lost packet changes little. Where said is longer than heard the likeness is 0.
func Find(heard, said Sound) (at time.Duration, likeness float64) {
	whole, part := picture(heard), picture(said)
	pattern := centred(part)
	for first := 0; len(part) > 0 && first+len(part) <= len(whole); first++ {
		if l := product(centred(whole[first:first+len(part)]), pattern); l > likeness {
			at, likeness = time.Duration(first)*pictureStep, l
		}
	}
	return at, likeness
}

// picture is the level in each band, for each step.
func picture(s Sound) [][]float64 {
	size, step := samples(s.Rate, pictureWindow), samples(s.Rate, pictureStep)
	var frames [][]float64
	window := hann(size)
	for first := 0; first+size <= len(s.Samples); first += step {
		frame, shaped := make([]float64, 0, bands), window.shape(s.Samples[first:first+size])
		for b := range bands {
			frame = append(frame, max(pictureFloor, goertzel(shaped, s.Rate, bandFirst+bandStep*float64(b))))
		}
		frames = append(frames, frame)
	}
	return frames
}

// centred takes from each band its mean, and brings the whole to the length 1.
func centred(frames [][]float64) []float64 {
	all := make([]float64, 0, len(frames)*bands)
	for _, frame := range frames {
		all = append(all, frame...)
	}
	for b := range bands {
		mean := 0.0
		for i := b; i < len(all); i += bands {
			mean += all[i] / float64(len(frames))
		}
		for i := b; i < len(all); i += bands {
			all[i] -= mean
		}
	}
	length := 0.0
	for _, v := range all {
		length += v * v
	}
	if length == 0 {
		return all
	}
	for i := range all {
		all[i] /= math.Sqrt(length)
	}
	return all
}

func product(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
