package noise

import "math"

const (
	corner = 1000.0 // Hz, above which the noise falls
	// overload is the level of a full-scale square wave in dBm0 (ITU-T G.711: a sine at
	// full scale has 3.17 dBm0, and a square wave 3.01 dB more).
	overload = 6.18
)

// FromDBm0 turns a level in dBm0 into one in dBFS.
func FromDBm0(level float64) float64 { return level - overload }

// Generator is a source of noise. It does not allocate.
type Generator struct {
	random uint32
	keep   float32 // of the last sample
	gain   float32 // of a random number of -2^31..2^31
	last   float32
}

// New makes a generator at a rate in Hz and a level in dBFS.
func New(rate int, level float64) *Generator {
	g := &Generator{random: 0x9e3779b9, keep: float32(math.Exp(-2 * math.Pi * corner / float64(rate)))}
	g.SetLevel(level)
	return g
}

// SetLevel changes the level, in dBFS.
func (g *Generator) SetLevel(level float64) {
	keep := float64(g.keep)
	const uniform = 1 << 31 / 1.7320508 // of numbers that are evenly distributed up to 2^31
	g.gain = float32(math.Pow(10, level/20) * 32768 / uniform * math.Sqrt((1+keep)/(1-keep)) * (1 - keep))
}

// Add puts noise on top of pcm.
func (g *Generator) Add(pcm []int32) {
	for i := range pcm {
		pcm[i] += g.next()
	}
}

// AddTo is Add for a line of its own.
func (g *Generator) AddTo(pcm []int16) {
	for i, v := range pcm {
		pcm[i] = int16(max(-32768, min(int32(v)+g.next(), 32767)))
	}
}

// next is the next sample: white noise by xorshift, through a filter of the first order.
// It is rounded by adding a random half, so that noise below one step does not end.
func (g *Generator) next() int32 {
	r := g.random
	r ^= r << 13
	r ^= r >> 17
	r ^= r << 5
	g.random = r
	g.last = g.keep*g.last + g.gain*float32(int32(r))
	const positive = 1 << 20 // so that it is rounded down, and not towards zero
	dither := float32(r&0xffff) / 0x10000
	return int32(g.last+dither+positive) - positive
}
