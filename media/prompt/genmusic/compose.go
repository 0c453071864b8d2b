package main

import "math"

const (
	rate  = 16000 // Hz
	level = -24.0 // dBFS, RMS of the whole

	beat       = 0.5 // s
	barBeats   = 12  // of one chord: 6 s
	noteBeats  = 1   // one note of the arpeggio each beat
	padAttack  = 1.6 // s
	padRelease = 2.4 // s
)

// chord is the notes of one bar as MIDI numbers (69 is A4, 440 Hz).
type chord struct {
	pad      []int // held for the bar
	arpeggio []int // played one after the other, again and again
}

// piece is C major seventh, A minor seventh, F major seventh, G sixth. It keeps
// above C4, which a telephone still carries.
var piece = []chord{
	{pad: []int{60, 64, 67, 71}, arpeggio: []int{72, 76, 79, 83, 79, 76}},
	{pad: []int{60, 64, 67, 69}, arpeggio: []int{69, 72, 76, 79, 76, 72}},
	{pad: []int{60, 65, 69, 76}, arpeggio: []int{65, 69, 72, 76, 72, 69}},
	{pad: []int{62, 67, 71, 74}, arpeggio: []int{67, 71, 74, 76, 74, 71}},
}

// compose renders the piece, with samples in -1..1.
func compose() []float64 {
	bar := barBeats * beat
	samples := make([]float64, int(float64(len(piece))*bar*rate))
	for i, c := range piece {
		start := float64(i) * bar
		for voice, key := range c.pad {
			// Two sines a little apart beat slowly against each other.
			addPad(samples, start, bar, frequency(key)*(1+0.0009*float64(voice-1)))
			addPad(samples, start, bar, frequency(key)*(1-0.0007*float64(voice+1)))
		}
		for n := 0; n < barBeats; n += noteBeats {
			addPluck(samples, start+float64(n)*beat, frequency(c.arpeggio[n%len(c.arpeggio)]))
		}
	}
	scale(samples)
	return samples
}

func frequency(key int) float64 { return 440 * math.Pow(2, float64(key-69)/12) }

// addPad adds a note that swells, holds for the bar and dies away in the next.
func addPad(samples []float64, start, length, frequency float64) {
	add(samples, start, length+padRelease, func(t float64) float64 {
		envelope := math.Min(1, t/padAttack)
		if t > length {
			envelope = 1 - (t-length)/padRelease
		}
		envelope = (1 - math.Cos(math.Pi*envelope)) / 2
		w := 2 * math.Pi * frequency * t
		return 0.1 * envelope * (math.Sin(w) + 0.3*math.Sin(2*w) + 0.08*math.Sin(3*w))
	})
}

// addPluck adds a bell-like note of 2.5 s, whose overtones die first.
func addPluck(samples []float64, start, frequency float64) {
	const attack = 0.012
	add(samples, start, 2.5, func(t float64) float64 {
		rise := (1 - math.Cos(math.Pi*math.Min(1, t/attack))) / 2
		end := math.Min(1, (2.5-t)/0.1)
		w := 2 * math.Pi * frequency * t
		return 0.3 * rise * end * (math.Exp(-1.8*t)*math.Sin(w) +
			0.35*math.Exp(-4*t)*math.Sin(2*w) + 0.12*math.Exp(-7*t)*math.Sin(3*w))
	})
}

// add mixes wave, a function of the seconds since the note's start, into the
// circle of samples.
func add(samples []float64, start, length float64, wave func(t float64) float64) {
	first := int(start * rate)
	for i := range int(length * rate) {
		samples[(first+i)%len(samples)] += wave(float64(i) / rate)
	}
}

// scale brings the RMS of the samples to level.
func scale(samples []float64) {
	sum := 0.0
	for _, s := range samples {
		sum += s * s
	}
	gain := math.Pow(10, level/20) / math.Sqrt(sum/float64(len(samples)))
	for i := range samples {
		samples[i] *= gain
	}
}
