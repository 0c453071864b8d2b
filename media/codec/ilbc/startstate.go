package ilbc

import "math"

// peak is what the largest sample of the start state is scaled to before each one is
// quantized.
const peak = 4.5

// place chooses where the start state of a residual is (section 3.5.1): the two
// sub-blocks with the most energy, and in them the stretch that leaves the least for the
// short block.
func (f *frame) place(m *mode, residual []float64) {
	best := -1.0
	for i, weight := range m.energies {
		if e := weight * stateEnergy(residual[i*subBlock:(i+2)*subBlock]); e > best {
			best, f.start = e, uint8(i+1)
		}
	}
	two := residual[(int(f.start)-1)*subBlock:][:2*subBlock]
	f.first = 0
	if energy(two[:m.state]) > energy(two[2*subBlock-m.state:]) {
		f.first = 1
	}
}

// stateEnergy is that of two sub-blocks, with the samples at both ends counting less.
func stateEnergy(two []float64) float64 {
	sum := energy(two)
	for i := range 5 {
		head, tail := two[i], two[len(two)-1-i]
		sum -= float64(5-i) / 6 * (head*head + tail*tail)
	}
	return sum
}

// statePlace is where in the frame the start state's samples are.
func (f *frame) statePlace(m *mode) (from, to int) {
	from = (int(f.start) - 1) * subBlock
	if f.first == 0 {
		from += 2*subBlock - m.state
	}
	return from, from + m.state
}

// quantizeState finds the scale and the samples of the start state (sections 3.5.2 and
// 3.5.3). Filters are those of all sub-blocks: sent, and for the weighting of errors.
func (f *frame) quantizeState(m *mode, residual []float64, sent, weighting []filter) {
	from, to := f.statePlace(m)
	var buffer [maxState]float64
	target := buffer[:m.state]
	copy(target, residual[from:to])
	sent[from/subBlock].disperse(target)

	largest := 10.0
	for _, x := range target {
		largest = max(largest, math.Abs(x))
	}
	f.scale = closest(math.Log10(largest), stateScales[:])
	scale := peak / math.Pow(10, stateScales[f.scale])
	for i := range target {
		target[i] *= scale
	}
	f.quantizeSamples(m, from, target, weighting)
}

// quantizeSamples chooses level by level so that the error, weighted, is least: the
// difference of what is wanted and what is chosen goes through the weighting filter,
// and each level is chosen with the sum of what rings on from those before it.
func (f *frame) quantizeSamples(m *mode, from int, target []float64, weighting []filter) {
	var wanted, chosen [order + maxState]float64 // after the filter
	for i, x := range target {
		a := &weighting[(from+i)/subBlock]
		ringing := 0.0
		for k := 1; k <= order; k++ {
			x -= a[k] * wanted[order+i-k]
			ringing -= a[k] * chosen[order+i-k]
		}
		f.state[i] = closest(x-ringing, stateLevels[:])
		wanted[order+i] = x
		chosen[order+i] = ringing + stateLevels[f.state[i]]
	}
}

// buildState writes the samples that the decoder has (section 4.2). The all-pass that
// spread them is undone by passing it backwards.
func (f *frame) buildState(state []float64, sent *filter) {
	scale := math.Pow(10, stateScales[f.scale]) / peak
	last := len(state) - 1
	for i := range state {
		state[last-i] = scale * stateLevels[f.state[i]]
	}
	sent.disperse(state)
	for i := range len(state) / 2 {
		state[i], state[last-i] = state[last-i], state[i]
	}
}

// closest finds the level that is nearest to x. Levels ascend.
func closest(x float64, levels []float64) uint8 {
	i := 0
	for i < len(levels)-1 && x > (levels[i]+levels[i+1])/2 {
		i++
	}
	return uint8(i)
}
