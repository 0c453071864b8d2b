package tone

import (
	"math"
	"slices"
	"time"
)

// Level is what one window of a sound measured, in dBFS.
type Level struct {
	At    time.Duration // of its beginning
	RMS   float64       // of everything
	Tones []float64     // of each frequency asked for
}

// silence is the level, in dBFS, given for digital silence.
const silence = -120.0

// Levels measures samples in windows that follow one another: the RMS, and by
// Goertzel's algorithm the level of a sine at each of the frequencies (Hz). A Hann
// window keeps a tone from showing at frequencies further than 2/window from it.
// An incomplete window at the end is left out.
func Levels(samples []int16, rate int, length time.Duration, frequencies ...float64) []Level {
	size := int(length.Seconds()*float64(rate) + 0.5)
	var levels []Level
	window := hann(size)
	for first := 0; size > 0 && first+size <= len(samples); first += size {
		part := samples[first : first+size]
		l := Level{At: time.Duration(first) * time.Second / time.Duration(rate), RMS: RMS(part)}
		shaped := window.shape(part)
		for _, f := range frequencies {
			l.Tones = append(l.Tones, goertzel(shaped, rate, f))
		}
		levels = append(levels, l)
	}
	return levels
}

// RMS returns the level of samples in dBFS, -120 at least.
func RMS(samples []int16) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return decibels(sum / float64(max(1, len(samples))))
}

// decibels turns a mean square into dBFS.
func decibels(meanSquare float64) float64 {
	return max(silence, 10*math.Log10(meanSquare/(1<<30)))
}

// shape is a window: by what each sample is multiplied.
type shape []float64

// hann is the window of a size with which a sine keeps its level, and does not show at
// frequencies further off than two windows' worth.
func hann(size int) shape {
	window := make(shape, size)
	for i := range window {
		window[i] = 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(size))
	}
	return window
}

func (window shape) shape(samples []int16) []float64 {
	shaped := make([]float64, len(window))
	for i, sample := range samples {
		shaped[i] = float64(sample) * window[i]
	}
	return shaped
}

// goertzel returns the level in dBFS of a sine of the frequency in shaped samples.
func goertzel(shaped []float64, rate int, frequency float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*frequency/float64(rate))
	var s1, s2 float64
	for _, sample := range shaped {
		s1, s2 = sample+coefficient*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	n := float64(len(shaped))
	return decibels(2 * max(0, power) / (n * n)) // the mean square of a sine is half its amplitude squared
}

// A tone is heard in a window if all of this holds.
const (
	heardWindow    = 50 * time.Millisecond
	heardLevel     = -50.0 // dBFS: it is at least so loud
	heardOverFloor = 12.0  // dB: and so much over the noise on both sides of it
	heardUnderAll  = 25.0  // dB: and no more than so much under everything
	heardShare     = 0.8   // of the windows, for Heard
)

// floorAt are the distances in Hz at which the noise beside a tone is measured.
// The second lowest of the four counts, so that another tone on one of them does
// not hide this one.
var floorAt = [4]float64{-140, -95, 95, 140}

// Heard reports whether the tone of a frequency (Hz) is in the samples from one
// moment to another: in 80 % of the windows of 50 ms it has at least -50 dBFS, is
// 12 dB over the noise beside it, and no more than 25 dB under everything. A span
// that the samples do not fully have is not heard.
func Heard(samples []int16, rate int, from, to time.Duration, frequency float64) bool {
	s := Sound{rate, samples}
	return to <= s.Duration()+heardWindow && Share(samples, rate, from, to, frequency) >= heardShare
}

// Share returns the share of windows, 0 to 1, in which the tone is heard as by
// [Heard]. A test that nobody hears a tone wants exactly 0.
func Share(samples []int16, rate int, from, to time.Duration, frequency float64) float64 {
	windows := heardWindows(Sound{rate, samples}.Between(from, to), frequency)
	if len(windows) == 0 {
		return 0
	}
	n := 0
	for _, heard := range windows {
		if heard {
			n++
		}
	}
	return float64(n) / float64(len(windows))
}

// Onset returns when the tone is first heard in two windows one after the other,
// to the length of a window.
func Onset(samples []int16, rate int, frequency float64) (time.Duration, bool) {
	windows := heardWindows(Sound{rate, samples}, frequency)
	for i := 1; i < len(windows); i++ {
		if windows[i-1] && windows[i] {
			return time.Duration(i-1) * heardWindow, true
		}
	}
	return 0, false
}

func heardWindows(s Sound, frequency float64) []bool {
	var heard []bool
	for _, l := range Levels(s.Samples, s.Rate, heardWindow, probes(frequency)...) {
		heard = append(heard, isHeard(l.RMS, l.Tones))
	}
	return heard
}

// probes are a tone's frequency, and those beside it that tell the noise.
func probes(frequency float64) []float64 {
	list := []float64{frequency}
	for _, distance := range floorAt {
		list = append(list, frequency+distance)
	}
	return list
}

// isHeard decides by the level of everything and those of a tone's probes.
func isHeard(all float64, tones []float64) bool {
	level, beside := tones[0], slices.Sorted(slices.Values(tones[1:]))
	return level >= heardLevel && level >= beside[1]+heardOverFloor && level >= all-heardUnderAll
}

// Strength is how a tone is heard in a sound.
type Strength struct {
	Share float64 // of the windows in which it is heard, 0 to 1
	Level float64 // the mean of its power in them, in dBFS
}

// Strengths returns for each frequency (Hz) how its tone is heard in all of s: what
// [Share] says, for many tones at little more than the cost of one.
func Strengths(s Sound, frequencies ...float64) []Strength {
	var all []float64
	for _, f := range frequencies {
		all = append(all, probes(f)...)
	}
	levels, each := Levels(s.Samples, s.Rate, heardWindow, all...), len(floorAt)+1
	list := make([]Strength, len(frequencies))
	for i := range list {
		count, power := 0, 0.0
		for _, l := range levels {
			if tones := l.Tones[i*each:][:each]; isHeard(l.RMS, tones) {
				count++
				power += math.Pow(10, tones[0]/10)
			}
		}
		list[i] = Strength{Level: silence}
		if count > 0 {
			list[i] = Strength{float64(count) / float64(len(levels)), 10 * math.Log10(power/float64(count))}
		}
	}
	return list
}

// clippedFrom is the greatest value of mu-law; A-law's and linear ones are above.
const clippedFrom = 32124

// Clipped returns how many samples are at the greatest value that G.711 can carry
// or above it.
func Clipped(samples []int16) int {
	n := 0
	for _, s := range samples {
		if s >= clippedFrom || s <= -clippedFrom {
			n++
		}
	}
	return n
}

// Gap is a stretch of near silence.
type Gap struct {
	At     time.Duration // of its beginning
	Length time.Duration
}

// gapWindow is the fineness with which gaps are found.
const gapWindow = 5 * time.Millisecond

// Gaps returns the stretches of at least a length in which no window of 5 ms
// reaches level (dBFS). Quiet before the first sound and after the last counts.
func Gaps(samples []int16, rate int, level float64, atLeast time.Duration) []Gap {
	var gaps []Gap
	var open *Gap
	finish := func() {
		if open != nil && open.Length >= atLeast {
			gaps = append(gaps, *open)
		}
		open = nil
	}
	for _, l := range Levels(samples, rate, gapWindow) {
		if l.RMS >= level {
			finish()
			continue
		}
		if open == nil {
			open = &Gap{At: l.At}
		}
		open.Length += gapWindow
	}
	finish()
	return gaps
}
