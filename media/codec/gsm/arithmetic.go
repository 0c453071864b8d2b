package gsm

import "math/bits"

// The operations of section 5.1. Values are int16 in the standard, and int32 for
// its "long" ones.

func saturate(v int32) int16 { return int16(max(-32768, min(v, 32767))) }

func add(a, b int16) int16 { return saturate(int32(a) + int32(b)) }

func sub(a, b int16) int16 { return saturate(int32(a) - int32(b)) }

// mul is mult: the product of two fractions, rounded down.
func mul(a, b int16) int16 { return saturate(int32(a) * int32(b) >> 15) }

// mulRound is mult_r: the same, rounded to the nearest.
func mulRound(a, b int16) int16 { return saturate((int32(a)*int32(b) + 1<<14) >> 15) }

// abs has no result above 32767.
func abs(a int16) int16 { return saturate(max(int32(a), -int32(a))) }

// addLong is L_add.
func addLong(a, b int32) int32 {
	return int32(max(-1<<31, min(int64(a)+int64(b), 1<<31-1)))
}

// norm is how far a positive value can be shifted left without an overflow.
func norm(v int32) int { return bits.LeadingZeros32(uint32(v)) - 1 }

// div is num/denum as a fraction of 15 bits, rounded down, for 0 <= num <= denum.
// 0/0 is 0.
func div(num, denum int16) int16 {
	if num == 0 {
		return 0
	}
	return int16(min(int32(num)<<15/int32(denum), 32767))
}

// largest is the largest magnitude of some samples.
func largest(samples []int16) int16 {
	most := int16(0)
	for _, s := range samples {
		most = max(most, abs(s))
	}
	return most
}
