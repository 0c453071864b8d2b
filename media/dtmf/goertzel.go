package dtmf

import "math"

// sampleRate is what the detector works at: the tones end at 1.7 kHz.
const sampleRate = 8000

// blockSize is the time resolution of the detector: 10 ms. Of a tone of 40 ms,
// the shortest that counts, three blocks lie wholly inside wherever it begins.
const blockSize = sampleRate / 100

// resonator is one frequency of the Goertzel algorithm.
type resonator struct {
	frequency float64 // Hz
	cos, sin  float64
	turn      float64 // radians by which a tone of this frequency advances in a block
}

func newResonator(frequency float64) resonator {
	w := 2 * math.Pi * frequency / sampleRate
	return resonator{frequency: frequency, cos: math.Cos(w), sin: math.Sin(w), turn: w * blockSize}
}

// phasor is what a resonator finds in a block.
type phasor struct{ re, im float64 }

// power is the mean square, in PCM units, of a sine that would leave p.
func (p phasor) power() float64 { return 2 * (p.re*p.re + p.im*p.im) / (blockSize * blockSize) }

// measure runs one resonator over a block.
func (r resonator) measure(block *[blockSize]float64) phasor {
	var s1, s2 float64
	for _, x := range block {
		s1, s2 = x+2*r.cos*s1-s2, s1
	}
	return phasor{re: s1 - s2*r.cos, im: s2 * r.sin}
}

// deviation is how far, in Hz, the tone that left before in one block and after
// in the next one lies from the resonator's frequency: what its phase advanced
// beside what it should have. It is unambiguous within 50 Hz, half of what a
// block can resolve.
func (r resonator) deviation(before, after phasor) float64 {
	advance := math.Atan2(after.im, after.re) - math.Atan2(before.im, before.re) - r.turn
	return math.Remainder(advance, 2*math.Pi) / (2 * math.Pi) * sampleRate / blockSize
}
