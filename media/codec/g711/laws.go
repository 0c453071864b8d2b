package g711

import "math/bits"

// The bias moves the µ-law segments to powers of two (G.711 table 2, at 16 bits).
const (
	muBias = 33 << 2
	muClip = 8159<<2 - 1 // the largest magnitude with a code of its own
)

// muToLinear decodes one µ-law octet. All its bits are inverted on the line.
func muToLinear(code byte) int16 {
	code = ^code
	magnitude := (int(code&0x0f)<<3+muBias)<<(code>>4&7) - muBias
	if code&0x80 != 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}

// linearToMu encodes one sample. The negative half mirrors the positive one about
// -1/2, so that no decision depends on the two bits that the law does not have.
func linearToMu(pcm int16) byte {
	sign, magnitude := byte(0), int(pcm)
	if magnitude < 0 {
		sign, magnitude = 0x80, ^magnitude
	}
	magnitude = min(magnitude, muClip) + muBias
	segment := bits.Len(uint(magnitude)) - 8 // muBias has 8 bits: segment 0
	return ^(sign | byte(segment)<<4 | byte(magnitude>>(segment+3)&0x0f))
}

// aEven are the bits that A-law inverts on the line (G.711 table 1).
const aEven = 0x55

// aToLinear decodes one A-law octet. Its sign bit is 1 for positive values.
func aToLinear(code byte) int16 {
	code ^= aEven
	magnitude, segment := int(code&0x0f)<<4+8, int(code>>4&7)
	if segment > 0 {
		magnitude = (magnitude + 0x100) << (segment - 1)
	}
	if code&0x80 == 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}

// linearToA encodes one sample, mirrored like linearToMu.
func linearToA(pcm int16) byte {
	sign, magnitude := byte(0x80), int(pcm)
	if magnitude < 0 {
		sign, magnitude = 0, ^magnitude
	}
	segment := max(0, bits.Len(uint(magnitude))-8)
	shift := max(4, segment+3)
	return (sign | byte(segment)<<4 | byte(magnitude>>shift&0x0f)) ^ aEven
}
