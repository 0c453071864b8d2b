package resample

import "math"

const (
	// half is how many taps on each side of the middle are not zero.
	half = 15
	// length is that of the whole filter, at 16 kHz, zeros included.
	length = 4*half - 1 + 2*0
	// scaleBits are the fractional bits of a tap.
	scaleBits = 15
	// kaiser shapes the window: the stop band is some 60 dB down.
	kaiser = 6.0
)
