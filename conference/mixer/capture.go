package mixer

// capture records frames.
type capture struct {
	left int // frames still to come
	rate int
	pcm  []int16
}

func (c *capture) start(frames int) { *c = capture{left: frames} }

// add keeps a frame and says whether that was the last.
func (c *capture) add(pcm []int16, rate int) bool {
	if c.pcm == nil {
		// The one allocation of a recording, at its first frame.
		c.pcm, c.rate = make([]int16, 0, c.left*len(pcm)), rate
	}
	if rate == c.rate && len(c.pcm)+len(pcm) <= cap(c.pcm) {
		c.pcm = append(c.pcm, pcm...)
	}
	c.left--
	return c.left == 0
}

func (c *capture) end() ([]int16, int, bool) {
	if c.pcm == nil && c.left == 0 {
		return nil, 0, false
	}
	pcm, rate := c.pcm, c.rate
	*c = capture{}
	return pcm, rate, true
}
