package voice

import "math"

// Least is the level of digital silence, and the lowest that there is, in dBFS.
const Least = -100

// levelOf is the level of a mean square.
func levelOf(meanSquare float32) float32 {
	if meanSquare <= 0 {
		return Least
	}
	return max(Least, 10*float32(math.Log10(float64(meanSquare)))-fullScale)
}

// fullScale is 32768 in dB.
const fullScale = 90.308998
