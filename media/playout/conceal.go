package playout

// The times of G.711 Appendix I, as parts of a second.
const (
	shortestPitch = 200 // 5 ms
	longestPitch  = 66  // 15 ms
	matchedOver   = 50  // 20 ms: what the pitch is found on
)

// concealer makes audio for what is missing out of what was played last. It
// repeats the last pitch period, after 10 ms the last two, and fades.
type concealer struct {
	rate    int
	history []int16 // what was played last, 36 ms, oldest first; does not move while active

	silent  bool // nothing was played, or it has faded out
	active  bool
	period  int // samples of a pitch period
	cycle   int // samples that are repeated: one or two periods
	phase   int // in the cycle
	made    int // samples since the gap began
	release int // samples left of a quick fade; 0: none
	level   int // gain at the start of that fade, 15 bits
	jump    int // the step from the last sample to the first repeated one, which is faded out
}

func newConcealer(rate int) concealer {
	return concealer{rate: rate, history: make([]int16, 36*rate/1000), silent: true}
}

// record takes what was received and played.
func (c *concealer) record(pcm []int16) {
	c.silent = false
	if len(pcm) >= len(c.history) {
		copy(c.history, pcm[len(pcm)-len(c.history):])
		return
	}
	copy(c.history, c.history[len(pcm):])
	copy(c.history[len(c.history)-len(pcm):], pcm)
}

// begin prepares to fill a gap that starts now.
func (c *concealer) begin() {
	if c.active {
		return
	}
	coarse := max(1, c.rate/4000)
	c.period, _ = similarity(c.history, c.rate/shortestPitch, c.rate/longestPitch, c.rate/matchedOver, coarse)
	c.active, c.cycle, c.phase, c.made, c.release = true, c.period, 0, 0, 0
	last := len(c.history) - 1
	c.jump = int(c.history[last]) - int(c.history[last-c.period])
}

// fill writes the next samples of the gap. It says whether any of them can be
// heard; after 60 ms none can.
func (c *concealer) fill(pcm []int16) (audible bool) {
	if c.silent {
		clear(pcm)
		return false
	}
	c.begin()
	for i := range pcm {
		gain := c.gain()
		if gain == 0 {
			clear(pcm[i:])
			return i > 0
		}
		pcm[i] = int16(c.next() * gain >> 15)
	}
	return true
}

// fadeOut is fill for the beginning of a silence: it ends within 5 ms.
func (c *concealer) fadeOut(pcm []int16) {
	if c.silent {
		clear(pcm)
		return
	}
	c.begin()
	fade := c.rate / 200
	if c.release == 0 {
		c.level, c.release = c.gain(), fade
	}
	for i := range pcm {
		if c.release--; c.release == 0 {
			clear(pcm[i:])
			c.active, c.silent = false, true
			clear(c.history)
			return
		}
		pcm[i] = int16(c.next() * c.level / fade * c.release >> 15)
	}
}

// join leads from the gap back to pcm, which is what was received, by fading from
// one to the other; the longer the gap, the longer the fade, 4 to 10 ms.
func (c *concealer) join(pcm []int16) {
	if !c.active {
		c.made = 0 // the codec filled the gap, if there was one, and joins by itself
		return
	}
	n := min(4*c.rate/1000+c.made*2/5, c.rate/100, len(pcm))
	for i := range n {
		synthetic := c.next() * c.gain() >> 15
		pcm[i] = int16(synthetic + (int(pcm[i])-synthetic)*(i+1)/(n+1))
	}
	c.active = false
}

// seam prepares to hide that the audio goes on at another place.
func (c *concealer) seam() {
	if !c.silent {
		c.begin()
	}
}

// skip takes note of a gap that the codec itself has filled.
func (c *concealer) skip(pcm []int16) {
	c.made += len(pcm)
	c.record(pcm)
}

// exhausted says whether the gap is so long that nothing can be heard any more.
func (c *concealer) exhausted() bool { return c.silent || c.gain() == 0 }

// gain is 1 for 10 ms and falls by a fifth in each 10 ms after that.
func (c *concealer) gain() int {
	hold := c.rate / 100
	if c.made <= hold {
		return 1 << 15
	}
	return max(0, 1<<15-(c.made-hold)*(1<<15)/(5*hold))
}

// next is the next sample before any fade.
func (c *concealer) next() int {
	n := len(c.history)
	overlap := c.period / 4
	v := int(c.history[n-c.cycle+c.phase])
	// Towards its end the cycle fades into what was before its beginning, so
	// that it can begin again without a step.
	if left := c.cycle - c.phase; left <= overlap {
		earlier := int(c.history[n-2*c.cycle+c.phase])
		v += (earlier - v) * (overlap - left + 1) / (overlap + 1)
	}
	if c.made < overlap {
		v += c.jump * (overlap - c.made) / overlap
	}
	c.made++
	if c.phase++; c.phase == c.cycle {
		c.phase = 0
		if c.cycle == c.period && c.made >= c.rate/100 {
			c.cycle, c.phase = 2*c.period, c.period
		}
	}
	return max(-32768, min(v, 32767))
}
