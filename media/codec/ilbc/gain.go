package ilbc

import "math"

// stages is how many code vectors are added up to a block.
const stages = 3

// maxGain is the largest gain that a code vector may need to be chosen (section 3.6.4.1).
const maxGain = 1.3

// gainLevels are the quantizers of the three stages.
var gainLevels = [stages][]float64{gains5[:], gains4[:], gains3[:]}

// gainScale is what a stage's levels are multiplied by: the gain of the stage before it,
// but not less than 0.1 (section 3.6.4.2).
func gainScale(before float64) float64 { return max(0.1, math.Abs(before)) }

// quantizeGain finds the nearest gain of a stage. Before is that of the stage before it,
// 1 for the first.
func quantizeGain(stage int, gain, before float64) (index uint8, quantized float64) {
	scale := gainScale(before)
	index = closest(gain/scale, gainLevels[stage])
	return index, scale * gainLevels[stage][index]
}

// values are the three gains that a code stands for.
func (c *code) values() (gains [stages]float64) {
	before := 1.0
	for stage := range gains {
		gains[stage] = gainScale(before) * gainLevels[stage][c.gains[stage]]
		before = gains[stage]
	}
	return gains
}

// raiseGain makes up for the energy that a sum of vectors lacks: it raises the gain of the
// first stage, with which the others grow, as long as the block does not get more energy
// than the target has, and to the double at most (section 3.7).
func (c *code) raiseGain(target, coded float64) {
	first := gains5[c.gains[0]]
	for i := int(c.gains[0]) + 1; i < len(gains5); i++ {
		g := gains5[i]
		if g >= 2*first || coded*g*g >= target*first*first {
			return
		}
		c.gains[0] = uint8(i)
	}
}
