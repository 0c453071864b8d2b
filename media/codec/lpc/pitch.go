package lpc

import "math"

// The pitch is searched in what is left below 1 kHz, at half the sample rate:
// there the harmonics of a voice are strong, and the noise of consonants is not.
const (
	history  = 240 // samples at 4 kHz that are kept, 60 ms
	compared = 120 // of them, how many are compared with earlier ones
	leastLag = 10  // 400 Hz
	mostLag  = 80  // 50 Hz
)

// voicedFrom and voicedOn are how much alike two periods of a voice are: one that
// begins, and one that goes on.
const (
	voicedFrom = 0.65
	voicedOn   = 0.5
	// share is the least part of a voiced sound's energy that lies below 1 kHz.
	share = 0.1
	// nearBest is how good another lag must be to be preferred: two periods are as much
	// alike as one.
	nearBest = 0.85
)

// pitch finds out whether a sound is voiced, and its period.
type pitch struct {
	input [len(lowPass) - 1]float64 // of the filter
	low   [history]float64          // its output, newest last
	lag   float64                   // of the last frame, in samples at 4 kHz; 0: it was not voiced
}

// lowPass keeps what is below 1 kHz, of 8 kHz samples. It is symmetric.
var lowPass = [15]float64{
	-0.0026, -0.0067, -0.0114, 0, 0.0483, 0.1319, 0.2153, 0.2505,
	0.2153, 0.1319, 0.0483, 0, -0.0114, -0.0067, -0.0026,
}

// next takes a frame and returns the period in samples of 8 kHz, or 0 where
// nothing repeats.
func (p *pitch) next(pcm *[FrameSamples]int16) float64 {
	total, below := p.filter(pcm)
	last, needed := p.lag, voicedOn
	if last == 0 {
		last, needed = leastLag, voicedFrom
	}
	p.lag = 0
	if total == 0 || below < share*total {
		return 0
	}
	likeness := p.compare()
	if lag, height := choose(&likeness, last); height >= needed {
		p.lag = lag
	}
	return 2 * p.lag
}

// filter moves a frame into the history, and returns its energy before and after.
func (p *pitch) filter(pcm *[FrameSamples]int16) (total, below float64) {
	const kept = len(lowPass) - 1
	var x [kept + FrameSamples]float64
	copy(x[:], p.input[:])
	for i, s := range pcm {
		x[kept+i] = float64(s)
		total += x[kept+i] * x[kept+i]
	}
	copy(p.input[:], x[FrameSamples:])
	copy(p.low[:], p.low[FrameSamples/2:])
	for i := range FrameSamples / 2 {
		sum := 0.0
		for j, c := range lowPass {
			sum += c * x[2*i+j]
		}
		p.low[history-FrameSamples/2+i] = sum
		below += 2 * sum * sum
	}
	return total, below
}

// compare gives the normalized correlation of the newest samples with those of
// each lag before, -1 to 1. Those outside of the range are 0.
func (p *pitch) compare() (likeness [mostLag + 2]float64) {
	now := p.low[history-compared:]
	energy := 0.0
	for _, s := range now {
		energy += s * s
	}
	before := 0.0
	for _, s := range p.low[history-compared-leastLag : history-leastLag] {
		before += s * s
	}
	for lag := leastLag; lag <= mostLag; lag++ {
		then := p.low[history-compared-lag:][:compared]
		sum := 0.0
		for i, s := range then {
			sum += s * now[i]
		}
		likeness[lag] = sum / math.Sqrt(energy*before+1)
		// The stretch compared with slides by one sample.
		in, out := p.low[history-compared-lag-1], then[compared-1]
		before = max(0, before+in*in-out*out)
	}
	return likeness
}

// choose finds the best lag, and how good it is. Of peaks that are nearly as good it
// takes the one nearest to the last lag, for a voice glides, or at the beginning of a
// voice the shortest.
func choose(likeness *[mostLag + 2]float64, last float64) (lag, height float64) {
	best := 0.0
	for n := leastLag; n <= mostLag; n++ {
		_, h := vertex(likeness, n)
		best = max(best, h)
	}
	away := math.Inf(1)
	for n := leastLag; n <= mostLag; n++ {
		at, h := vertex(likeness, n)
		if h < nearBest*best || likeness[n] < likeness[n-1] || likeness[n] < likeness[n+1] {
			continue
		}
		if a := max(at/last, last/at); a < away {
			lag, height, away = at, h, a
		}
	}
	return lag, height
}

// vertex puts a parabola through a lag and its neighbours, and gives its highest point,
// which lies between samples.
func vertex(likeness *[mostLag + 2]float64, n int) (lag, height float64) {
	left, middle, right := likeness[n-1], likeness[n], likeness[n+1]
	curve := left - 2*middle + right
	if n == leastLag || n == mostLag || middle < left || middle < right || curve == 0 {
		return float64(n), middle
	}
	offset := (left - right) / (2 * curve)
	return float64(n) + offset, middle - (left-right)*offset/4
}
