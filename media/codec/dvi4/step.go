package dvi4

// state is what encoder and decoder share.
type state struct {
	value int // the sample as it was decoded last, which predicts the next
	index int // of the step
}

// encode gives a sample's code: a sign and how many quarters of a step it is off,
// rounded down, at most seven.
func (s *state) encode(sample int) byte {
	difference, sign := sample-s.value, byte(0)
	if difference < 0 {
		difference, sign = -difference, 8
	}
	code, part := byte(0), steps[s.index]
	for bit := byte(4); bit > 0; bit >>= 1 {
		if difference >= part {
			code |= bit
			difference -= part
		}
		part >>= 1
	}
	s.decode(sign | code)
	return sign | code
}

// decode gives a code's sample. Half a quarter step is added for the rounding
// down. The parts of a step are rounded down each by itself, as in the encoder.
func (s *state) decode(code byte) int16 {
	step := steps[s.index]
	difference := step >> 3
	for shift, bit := 0, byte(4); bit > 0; shift, bit = shift+1, bit>>1 {
		if code&bit != 0 {
			difference += step >> shift
		}
	}
	if code&8 != 0 {
		difference = -difference
	}
	s.value = max(-32768, min(s.value+difference, 32767))
	s.index = max(0, min(s.index+indexChange[code&7], len(steps)-1))
	return int16(s.value)
}

// indexChange is by how much a code changes the step, by its magnitude.
var indexChange = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

// steps grow by a tenth from one to the next.
var steps = [89]int{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
	118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
	1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
	6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
	32767,
}
