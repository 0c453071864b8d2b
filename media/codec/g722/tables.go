package g722

// mirror is one half of the symmetric quadrature mirror filter, 13 fractional
// bits (table 11/G.722); the other half is the same, backwards.
var mirror = [12]int{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

// antilog is 2048·2^(i/32) (table 15/G.722, ILB).
var antilog = [32]int{
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
	2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
}

// lowDecision are the magnitudes, in units of the step, at which the lower
// band's quantizer goes from one interval to the next (table 14/G.722, LL6).
var lowDecision = [29]int{
	35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786,
	858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
}

// lowOutput6 is what each of those intervals decodes to with all six bits (QQ6).
var lowOutput6 = [30]int{
	17, 54, 91, 130, 170, 211, 254, 300, 347, 396, 447, 501, 558, 618, 682, 750,
	822, 899, 982, 1072, 1170, 1279, 1399, 1535, 1689, 1873, 2088, 2376, 2738, 3101,
}

// lowOutput4 is the same with the upper four bits only (QQ4), which is what the
// predictor adapts on, so that the lower two can be lost on the way.
var lowOutput4 = [8]int{0, 150, 323, 530, 786, 1121, 1612, 2557}

// lowWeight moves the logarithm of the lower band's step (WL), by QQ4 interval.
var lowWeight = [8]int{-60, -30, 58, 172, 334, 538, 1198, 3042}

// The upper band has two intervals (QQ2, WH); highDecision parts them.
const highDecision = 564

var (
	highOutput = [2]int{202, 926}
	highWeight = [2]int{-214, 798}
)

// quantizer holds the tables above by code. It is the same for all streams.
type quantizer struct {
	codeLow          [2][30]byte // by sign (1: negative) and interval
	low6             [64]int     // quantized difference by code, 15 fractional bits
	low4, weightLow  [16]int     // by the code's upper four bits
	codeHigh         [2][2]byte
	high, weightHigh [4]int
}

// newQuantizer lays the tables out by code (tables 16 to 21/G.722). Codes are
// in one's-complement order; 0 to 3 would be the largest negative intervals and
// are not sent, so that an idle line has ones in it. Received, they decode like
// the smallest.
func newQuantizer() *quantizer {
	q := &quantizer{}
	for i := range 30 {
		positive, negative := byte(61-i), byte(33-i)
		if i < 2 {
			negative = byte(63 - i)
		}
		q.codeLow[0][i], q.codeLow[1][i] = positive, negative
		q.low6[positive], q.low6[negative] = lowOutput6[i]<<3, -lowOutput6[i]<<3
	}
	for code := range 4 {
		q.low6[code] = -lowOutput6[0] << 3
	}
	for i := range 8 {
		positive, negative := 15-i, 8-i
		if i == 0 {
			negative = 0
		}
		q.low4[positive], q.low4[negative] = lowOutput4[i]<<3, -lowOutput4[i]<<3
		q.weightLow[positive], q.weightLow[negative] = lowWeight[i], lowWeight[i]
	}
	for i := range 2 {
		positive, negative := 3-i, 1-i
		q.codeHigh[0][i], q.codeHigh[1][i] = byte(positive), byte(negative)
		q.high[positive], q.high[negative] = highOutput[i]<<3, -highOutput[i]<<3
		q.weightHigh[positive], q.weightHigh[negative] = highWeight[i], highWeight[i]
	}
	return q
}

// quantizeLow is QUANTL: the code of a difference.
func (q *quantizer) quantizeLow(difference, scale int) byte {
	sign := 0
	if difference < 0 {
		sign, difference = 1, ^difference
	}
	// The intervals are searched by halves: decisions grow with the index.
	from, to := 0, len(lowDecision)
	for from < to {
		middle := (from + to) / 2
		if difference < lowDecision[middle]*scale>>12 {
			to = middle
		} else {
			from = middle + 1
		}
	}
	return q.codeLow[sign][from]
}

// quantizeHigh is QUANTH.
func (q *quantizer) quantizeHigh(difference, scale int) byte {
	sign := 0
	if difference < 0 {
		sign, difference = 1, ^difference
	}
	if difference < highDecision*scale>>12 {
		return q.codeHigh[sign][0]
	}
	return q.codeHigh[sign][1]
}
