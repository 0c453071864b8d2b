package ilbc

import "math"

const (
	enhanced   = 80   // samples that are enhanced at a time
	remembered = 640  // samples of the residual that the enhancer sees
	slack      = 2    // samples by which a period may differ from its estimate
	allowed    = 0.05 // of a block's energy may change (section 4.6.4)
)

// cycles weigh what is one, two and three periods away from a block (section 4.6.3).
var cycles = [3]float64{0.853553, 0.5, 0.146447}

// interpolation gives the values a quarter, half and three quarters of a sample after each
// one, by convolution (section 4.6.2).
var interpolation = [4][7]float64{
	{0, 0, 0, 1, 0, 0, 0},
	{0.015625, -0.076904, 0.288330, 0.862061, -0.106445, 0.018799, -0.015625},
	{0.023682, -0.124268, 0.601563, 0.601563, -0.124268, 0.023682, -0.023682},
	{0.018799, -0.106445, 0.862061, 0.288330, -0.076904, 0.015625, -0.018799},
}

// enhancer makes the residual of voiced speech more periodic: each block becomes, as far
// as it may change, the mean of what is one, two and three periods before and after it
// (section 4.6).
type enhancer struct {
	history [remembered]float64            // the residual, oldest first
	periods [remembered / enhanced]float64 // in samples, of each 80 samples of it
}

func newEnhancer() enhancer {
	var e enhancer
	for i := range e.periods {
		e.periods[i] = 40
	}
	return e
}

// push takes the next samples, a multiple of 80.
func (e *enhancer) push(residual []float64) {
	copy(e.history[:], e.history[len(residual):])
	copy(e.history[remembered-len(residual):], residual)
	blocks := len(residual) / enhanced
	copy(e.periods[:], e.periods[blocks:])
	e.estimate(e.periods[len(e.periods)-blocks:])
}

// pull writes as many samples as were pushed last, delay samples ago, enhanced. A delay of
// 0 leaves them as they are.
func (e *enhancer) pull(out []float64, delay int) {
	from := remembered - len(out) - delay
	if delay == 0 {
		copy(out, e.history[from:])
		return
	}
	for i := 0; i < len(out); i += enhanced {
		e.enhance(out[i:i+enhanced], from+i)
	}
}

// enhance writes the block that begins at a place in the history.
func (e *enhancer) enhance(out []float64, from int) {
	var mean [enhanced]float64
	at, period := float64(from), e.periodAt(float64(from+enhanced/2))
	for _, weight := range cycles {
		at -= period
		period = e.periodAt(at + enhanced/2 - period)
		at = e.addLike(from, at, weight, &mean)
	}
	at = float64(from)
	for _, weight := range cycles {
		at += e.periodAfter(at + enhanced/2)
		at = e.addLike(from, at, weight, &mean)
	}
	constrain(out, e.history[from:from+enhanced], mean[:])
}

// periodAt is the period at a place; between two blocks, that of the earlier one.
func (e *enhancer) periodAt(place float64) float64 {
	block := int(math.Ceil(place/enhanced)) - 1
	return e.periods[max(0, min(block, len(e.periods)-1))]
}

// periodAfter is that of the block which, moved back by its period, is nearest to a place.
func (e *enhancer) periodAfter(place float64) float64 {
	best, period := math.Inf(1), 0.0
	for i, p := range e.periods {
		middle := float64(i*enhanced + enhanced/2)
		if d := math.Abs(middle - p - place); d < best {
			best, period = d, p
		}
	}
	return period
}

// addLike finds the 80 samples near an estimated place that are most like those at from,
// to a quarter of a sample, and adds them to the mean with a weight. It returns where they
// are. What is not in the history counts as zeros.
func (e *enhancer) addLike(from int, estimate, weight float64, mean *[enhanced]float64) float64 {
	first := int(math.Floor(estimate+0.5)) - slack
	if first < 0 || first+2*slack+enhanced > remembered {
		return estimate
	}
	var likeness [2*slack + 1]float64
	for i := range likeness {
		likeness[i] = dot(e.history[from:from+enhanced], e.history[first+i:][:enhanced])
	}
	quarters := peakQuarter(&likeness)
	whole := (quarters + 3) / 4
	weights := &interpolation[4*whole-quarters]
	var stretch [enhanced + 6]float64
	begin := first + whole - 3
	copy(stretch[max(0, -begin):], e.history[max(0, begin):min(begin+len(stretch), remembered)])
	for i := range mean {
		mean[i] += weight * dot(weights[:], stretch[i:i+len(weights)])
	}
	return float64(first) + float64(quarters)/4
}

// peakQuarter is where a function that is known at whole places has its greatest value, in
// quarters.
func peakQuarter(values *[2*slack + 1]float64) (quarter int) {
	best := math.Inf(-1)
	for i := range values {
		for j := range interpolation {
			sum := 0.0
			for k, weight := range interpolation[j][1:6] {
				if at := i + slack - k; at >= 0 && at < len(values) {
					sum += weight * values[at]
				}
			}
			if sum > best {
				best, quarter = sum, 4*i+j
			}
		}
	}
	return quarter
}

// constrain writes the mean at the level of the block, or where that would change the
// block by more than is allowed, the mixture of both that changes it by just as much
// (sections 4.6.4 and 4.6.5).
func constrain(out, block, mean []float64) {
	own, others, both := energy(block), max(1, energy(mean)), dot(block, mean)
	level := math.Sqrt(own / others)
	// The energy of block - level·mean.
	if change := 2*own - 2*level*both; change <= allowed*own {
		for i, x := range mean {
			out[i] = level * x
		}
		return
	}
	own = max(1, own)
	share, rest := 0.0, 1.0
	if apart := (others*own - both*both) / (own * own); apart > 0.0001 {
		share = math.Sqrt((allowed - allowed*allowed/4) / apart)
		rest = 1 - allowed/2 - share*both/own
	}
	for i, x := range mean {
		out[i] = share*x + rest*block[i]
	}
}

// lowPass halves the rate on which periods are estimated.
var lowPass = [7]float64{-0.066650, 0.125000, 0.316650, 0.414063, 0.316650, 0.125000, -0.066650}

// estimate finds the periods of the newest blocks at half the rate, from 20 to 118 samples
// (section 4.6.1).
func (e *enhancer) estimate(periods []float64) {
	const (
		before = 120 // samples before the blocks that are compared with them
		half   = enhanced / 2
	)
	var buffer [(maxSamples + before) / 2]float64
	slow := buffer[:(len(periods)*enhanced+before)/2]
	from := remembered - 2*len(slow)
	for i := range slow {
		for k, weight := range lowPass {
			if at := from + 2*i + len(lowPass)/2 - k; at < remembered {
				slow[i] += weight * e.history[at]
			}
		}
	}
	for i := range periods {
		at := before/2 + i*half
		block, best := slow[at:at+half], -1.0
		for lag := 10; lag < before/2; lag++ {
			if s := similarity(block, slow[at-lag:][:half]); s > best {
				best, periods[i] = s, float64(2*lag)
			}
		}
	}
}

// similarity is how much energy of block its best multiple of other would take off. That
// multiple must be positive.
func similarity(block, other []float64) float64 {
	product := dot(block, other)
	if product <= 0 {
		return 0
	}
	return product * product / energy(other)
}
