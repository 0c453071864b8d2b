package ilbc

import "math"

// concealer makes up the residual of frames that are lost (section 4.5.2): the last pitch
// periods once more, with noise as far as the last frame was not periodic.
type concealer struct {
	lost    int     // samples so far, since the last good frame
	lag     int     // that is repeated
	voicing float64 // how periodic it was, 0 to 1
	seed    uint32
}

// fill continues the residual that the enhancer has.
func (c *concealer) fill(residual []float64, e *enhancer) {
	if c.lost == 0 {
		c.listen(e)
	}
	c.lost += len(residual)
	gain, periodic := c.gain(), c.periodic()
	lag := c.lag
	if lag < 80 {
		lag *= 2 // two periods, lest one is heard as a tone
	}
	var noise [maxSamples]float64
	for i := range residual {
		noise[i] = repeated(&e.history, noise[:i], c.random())
		falling := gain * (1 - 0.05*float64(i/80))
		residual[i] = falling * (periodic*repeated(&e.history, residual[:i], lag) + (1-periodic)*noise[i])
	}
	if energy(residual) < float64(len(residual))*30*30 { // nobody hears periods in what is this quiet
		for i := range residual {
			residual[i] = gain * noise[i]
		}
	}
}

// repeated is the sample that was lag samples ago: in what is made, or before it.
func repeated(history *[remembered]float64, made []float64, lag int) float64 {
	if at := len(made) - lag; at >= 0 {
		return made[at]
	}
	return history[remembered+len(made)-lag]
}

// listen finds the pitch at the end of the last frame, near the enhancer's estimate.
func (c *concealer) listen(e *enhancer) {
	const compared = 60
	end := e.history[remembered-compared:]
	estimate := int(e.periods[len(e.periods)-1])
	c.lag, c.voicing = estimate, 0
	best := 0.0
	for lag := estimate - 3; lag <= estimate+3; lag++ {
		earlier := e.history[remembered-compared-lag:][:compared]
		if s := similarity(end, earlier); s > best {
			best, c.lag = s, lag
			c.voicing = math.Sqrt(s / energy(end))
		}
	}
}

// periodic is the share of the repeated periods; the rest is noise.
func (c *concealer) periodic() float64 {
	return max(0, min((math.Sqrt(c.voicing)-0.4)/(0.7-0.4), 1))
}

// gain falls with the length of the gap. What is repeated is what was made before, so
// gains multiply.
func (c *concealer) gain() float64 {
	switch {
	case c.lost > 1280:
		return 0
	case c.lost > 960:
		return 0.5
	case c.lost > 640:
		return 0.7
	case c.lost > 320:
		return 0.9
	}
	return 1
}

// random is a lag for the noise, 50 to 119 samples.
func (c *concealer) random() int {
	c.seed = c.seed*69069 + 1
	return 50 + int(c.seed>>16)%70
}

// join leads from made-up samples to the good frame after them, which is the newest in the
// history: of those that were not played yet, for the enhancer is behind, each becomes a
// mixture of itself and of the new frame's periods, continued backwards (section 4.5.3).
func (e *enhancer) join(frame, delay int) {
	begin := remembered - frame
	block := len(e.periods) - frame/enhanced
	lag := e.refined(begin, delay, int(e.periods[block]))
	e.periods[block-1] = float64(lag)

	var buffer [enhanced]float64
	backwards := buffer[:delay]
	for i := delay - 1; i >= 0; i-- {
		if at := i + lag; at < delay {
			backwards[i] = backwards[at]
		} else {
			backwards[i] = e.history[begin-delay+at]
		}
	}
	old := e.history[begin-delay : begin]
	limit(backwards, energy(old))
	for i := range old {
		share := float64(delay-i) / float64(delay+1)
		old[i] = share*old[i] + (1-share)*backwards[i]
	}
}

// refined is the period of the samples at begin, next to an estimate.
func (e *enhancer) refined(begin, length, estimate int) int {
	best, period := -1.0, estimate
	for lag := estimate - 1; lag <= estimate+1; lag++ {
		if s := similarity(e.history[begin:begin+length], e.history[begin+lag:][:length]); s > best {
			best, period = s, lag
		}
	}
	return period
}

// limit keeps what leads back to a loud frame from being more than twice as loud as what
// it comes from, except for its last ten samples, which rise.
func limit(backwards []float64, old float64) {
	e := energy(backwards)
	if e <= 4*old {
		return
	}
	gain := 2 * math.Sqrt(old/e)
	rise := len(backwards) - 10
	for i := range backwards {
		g := gain
		if i > rise {
			g += (1 - gain) * float64(i-rise) / 10
		}
		backwards[i] *= g
	}
}
