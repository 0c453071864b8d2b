package playout

// The concealer makes up lost audio from what was heard just before, as G.711
// Appendix I does: the last pitch period is repeated, and fades when the loss goes
// on, for speech does not stay the same for longer than that.

const (
	historyTime = 50 // ms of past audio kept
	fullTime    = 10 // ms at full level
	fadeTime    = 50 // ms after that until silence
	joinTime    = 4  // ms of cross-fade where real audio comes back
	maxHistory  = maxRate * historyTime / 1000
	// quietLevel is the mean magnitude below which a frame may be dropped or
	// doubled unheard: about -46 dBov.
	quietLevel = 160
)

type concealer struct {
	rate    int
	history [maxHistory]int16 // the newest at the end of the first size()
	filled  int
	period  int // of the pitch, while concealing
	at      int // samples made up so far in this loss; 0: not concealing
	level   int // mean magnitude of the last audio heard
}

func (c *concealer) size() int { return c.rate * historyTime / 1000 }

func (c *concealer) reset() { c.filled, c.at, c.level = 0, 0, 0 }

// quiet says whether the last audio was so soft that a frame more or less goes
// unheard.
func (c *concealer) quiet() bool { return c.level < quietLevel }

// heard keeps real audio.
func (c *concealer) heard(pcm []int16) {
	c.at = 0
	sum := 0
	for _, v := range pcm {
		sum += abs(v)
	}
	if len(pcm) > 0 {
		c.level = sum / len(pcm)
	}
	size := c.size()
	if len(pcm) >= size {
		copy(c.history[:size], pcm[len(pcm)-size:])
		c.filled = size
		return
	}
	copy(c.history[:size-len(pcm)], c.history[len(pcm):size])
	copy(c.history[size-len(pcm):size], pcm)
	c.filled = min(c.filled+len(pcm), size)
}

func abs(v int16) int {
	if v < 0 {
		return -int(v)
	}
	return int(v)
}

// fill makes up pcm, going on from what was made up before.
func (c *concealer) fill(pcm []int16) {
	if c.filled < c.size() {
		clear(pcm)
		return
	}
	if c.at == 0 {
		c.period = c.pitch()
	}
	for i := range pcm {
		pcm[i] = c.sample(c.at)
		c.at++
	}
}

// sample is the made-up sample n after the loss began.
func (c *concealer) sample(n int) int16 {
	size := c.size()
	v := int32(c.history[size-c.period+n%c.period])
	full, fade := c.rate*fullTime/1000, c.rate*fadeTime/1000
	switch {
	case n < full:
		return int16(v)
	case n < full+fade:
		return int16(v * int32(full+fade-n) / int32(fade))
	default:
		return 0
	}
}

// resume cross-fades from what was being made up into real audio.
func (c *concealer) resume(pcm []int16) {
	if c.at == 0 {
		return
	}
	n := min(len(pcm), c.rate*joinTime/1000)
	for i := range n {
		made := int32(c.sample(c.at + i))
		pcm[i] = int16((made*int32(n-i) + int32(pcm[i])*int32(i)) / int32(n))
	}
}

// pitch finds the period, 5 to 15 ms (66 to 200 Hz), at which the end of the
// history is most like what came before it, by normalized correlation.
func (c *concealer) pitch() int {
	size := c.size()
	low, high := c.rate*5/1000, c.rate*15/1000
	span := c.rate * 20 / 1000
	stride := max(c.rate/8000, 1) // as fine as at 8 kHz is fine enough
	end := c.history[size-span : size]
	best, period := int64(-1), high
	for lag := low; lag <= high; lag += stride {
		past := c.history[size-span-lag : size-lag]
		var dot, energy int64 = 0, 1
		for i := 0; i < span; i += 2 * stride {
			dot += int64(end[i]) * int64(past[i])
			energy += int64(past[i]) * int64(past[i])
		}
		if dot <= 0 {
			continue
		}
		// dot²/energy without leaving 64 bits: the span is short enough.
		if score := dot / (1 + energy>>16) * (dot >> 16); score > best {
			best, period = score, lag
		}
	}
	return period
}
