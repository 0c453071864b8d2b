package tone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Sound is mono sound.
type Sound struct {
	Rate    int // samples a second
	Samples []int16
}

// Duration returns how long the sound lasts.
func (s Sound) Duration() time.Duration {
	if s.Rate == 0 {
		return 0
	}
	return time.Duration(len(s.Samples)) * time.Second / time.Duration(s.Rate)
}

// Between returns the part of s between two moments, as far as s has it.
func (s Sound) Between(from, to time.Duration) Sound {
	clamp := func(d time.Duration) int { return min(max(samples(s.Rate, d), 0), len(s.Samples)) }
	first := clamp(from)
	return Sound{s.Rate, s.Samples[first:max(first, clamp(to))]}
}

// callers are the tones of [Caller]: none is twice or three times another, and
// none lies on a noise probe of another or on a frequency of DTMF.
var callers = [...]float64{420, 620, 1010, 1400, 1720, 1930, 2270, 2620, 2930}

// Caller returns the frequency in Hz of the tone of the nth caller of a test, 0
// to 8. It panics outside of that.
func Caller(n int) float64 { return callers[n] }

// Sine returns a sine of a frequency in Hz at a level in dBFS, up to -3.01. It
// begins and ends within 5 ms, so that it does not click.
func Sine(rate int, frequency, level float64, d time.Duration) Sound {
	s := Sound{rate, make([]int16, samples(rate, d))}
	amplitude := 32768 * math.Sqrt2 * math.Pow(10, level/20)
	ramp := float64(rate) * 0.005
	for i := range s.Samples {
		envelope := min(1, float64(min(i, len(s.Samples)-1-i))/ramp)
		s.Samples[i] = clip(amplitude * envelope * math.Sin(2*math.Pi*frequency*float64(i)/float64(rate)))
	}
	return s
}

// Steady returns one second of a sine that can be played again and again without a seam.
// The frequency is whole Hz.
func Steady(rate int, frequency, level float64) Sound {
	return Sine(rate, frequency, level, 3*time.Second).Between(time.Second, 2*time.Second)
}

// Noise returns white noise at a level in dBFS, the same in each run.
func Noise(rate int, level float64, d time.Duration) Sound {
	random := rand.New(rand.NewPCG(1, 2))
	s := Silence(rate, d)
	for i := range s.Samples {
		s.Samples[i] = clip(random.NormFloat64() * 32768 * math.Pow(10, level/20))
	}
	return s
}

// Silence returns digital silence.
func Silence(rate int, d time.Duration) Sound {
	return Sound{rate, make([]int16, samples(rate, d))}
}

// Join puts sounds of one rate one after the other.
func Join(parts ...Sound) Sound {
	var all Sound
	for _, part := range parts {
		mustMatch(&all, part)
		all.Samples = append(all.Samples, part.Samples...)
	}
	return all
}

// Mix adds sounds of one rate; the result is as long as the longest.
func Mix(parts ...Sound) Sound {
	var all Sound
	for _, part := range parts {
		mustMatch(&all, part)
		for len(all.Samples) < len(part.Samples) {
			all.Samples = append(all.Samples, 0)
		}
		for i, s := range part.Samples {
			all.Samples[i] = clip(float64(all.Samples[i]) + float64(s))
		}
	}
	return all
}

// mustMatch panics if two rates are to be put together, a mistake in the test.
func mustMatch(all *Sound, part Sound) {
	if all.Rate != 0 && all.Rate != part.Rate {
		panic(fmt.Sprintf("tone: sounds of %d and %d Hz put together", all.Rate, part.Rate))
	}
	all.Rate = part.Rate
}

// dtmf is the pair of frequencies of each key (ITU-T Q.23).
var dtmf = map[rune][2]float64{
	'1': {697, 1209}, '2': {697, 1336}, '3': {697, 1477}, 'A': {697, 1633},
	'4': {770, 1209}, '5': {770, 1336}, '6': {770, 1477}, 'B': {770, 1633},
	'7': {852, 1209}, '8': {852, 1336}, '9': {852, 1477}, 'C': {852, 1633},
	'*': {941, 1209}, '0': {941, 1336}, '#': {941, 1477}, 'D': {941, 1633},
}

// Keys returns the in-band tones of keys (0-9, *, #, A-D), each followed by a
// pause. The two sines of a key are at level, in dBFS, each. It panics at another
// key.
func Keys(rate int, keys string, level float64, on, off time.Duration) Sound {
	all := Sound{Rate: rate}
	for _, key := range keys {
		pair, ok := dtmf[key]
		if !ok {
			panic(fmt.Sprintf("tone: %q is no telephone key", key))
		}
		all = Join(all, Mix(Sine(rate, pair[0], level, on), Sine(rate, pair[1], level, on)), Silence(rate, off))
	}
	return all
}

// samples is the number of samples in d.
func samples(rate int, d time.Duration) int { return int(d.Seconds()*float64(rate) + 0.5) }

func clip(x float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, x))))
}
