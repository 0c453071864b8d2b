package g726

import "math/bits"

// quantizer holds what differs between the rates. All but width are by the
// magnitude of a code: how far it is from zero.
type quantizer struct {
	width    int   // bits of a code; the uppermost one is the sign
	decision []int // where one magnitude ends and the next begins (table 1 to 4/G.726)
	output   []int // what it decodes to
	weight   []int // W(I): how it moves the scale, 4 fractional bits
	speed    []int // F(I): how much it tells of a signal that changes
	leak     int   // by which shift the zeros of the predictor leak
}

// quantizers are those of the four rates, in kbit/s. Decisions and outputs are
// logarithms to base 2 of what is scaled to a step of 1, with 7 fractional bits.
// An output of -2048 is zero for every scale.
func quantizers() map[int]quantizer {
	return map[int]quantizer{
		16: {
			width: 2, leak: 8,
			decision: []int{261},
			output:   []int{116, 365},
			weight:   []int{-22, 439},
			speed:    []int{0, 7},
		},
		24: {
			width: 3, leak: 8,
			decision: []int{8, 218, 331},
			output:   []int{-2048, 135, 273, 373},
			weight:   []int{-4, 30, 137, 582},
			speed:    []int{0, 1, 2, 7},
		},
		32: {
			width: 4, leak: 8,
			decision: []int{-124, 80, 178, 246, 300, 349, 400},
			output:   []int{-2048, 4, 135, 213, 273, 323, 373, 425},
			weight:   []int{-12, 18, 41, 64, 112, 198, 355, 1122},
			speed:    []int{0, 0, 0, 1, 1, 1, 3, 7},
		},
		40: {
			width: 5, leak: 9,
			decision: []int{-122, -16, 68, 139, 198, 250, 298, 339, 378, 413, 445, 475, 502, 528, 553},
			output:   []int{-2048, -66, 28, 104, 169, 224, 274, 318, 358, 395, 429, 459, 488, 514, 539, 566},
			weight:   []int{14, 14, 24, 39, 40, 41, 58, 100, 141, 179, 219, 280, 358, 440, 529, 696},
			speed:    []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6},
		},
	}
}

// quantize is LOG, SUBTB and QUAN: the code of a difference.
func (q *quantizer) quantize(difference, scale int) int {
	size := max(difference, -difference)
	logarithm := 0
	if size > 0 {
		exponent := bits.Len(uint(size)) - 1
		logarithm = exponent<<7 | size<<7>>exponent&127
	}
	logarithm -= scale >> 2

	magnitude := 0
	for magnitude < len(q.decision) && logarithm >= q.decision[magnitude] {
		magnitude++
	}
	// Negative codes are the complement. An odd number of levels has its zero
	// there, so that a code of nothing but zeros is never sent.
	if difference < 0 || magnitude == 0 && q.output[0] < 0 {
		return 1<<q.width - 1 - magnitude
	}
	return magnitude
}

// split gives a code's sign and its magnitude.
func (q *quantizer) split(code int) (negative bool, magnitude int) {
	if code>>(q.width-1) != 0 {
		return true, 1<<q.width - 1 - code
	}
	return false, code
}

// rebuild is RECONST, ADDA and ANTILOG: how large the difference is that a
// magnitude stands for.
func (q *quantizer) rebuild(magnitude, scale int) int {
	logarithm := q.output[magnitude] + scale>>2
	if logarithm < 0 {
		return 0
	}
	return (128 + logarithm&127) << 7 >> (14 - logarithm>>7)
}
