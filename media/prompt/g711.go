package prompt

// Expansion of ITU-T G.711 octets into 16-bit samples, for files only: it runs
// once at start. Calls use the codec packages, whose tables are made for speed.

// expand decodes every octet of data by law.
func expand(data []byte, law func(byte) int16) []int16 {
	pcm := make([]int16, len(data))
	for i, octet := range data {
		pcm[i] = law(octet)
	}
	return pcm
}

// muLaw expands one octet: all bits are inverted; sign, three bits of segment,
// four of step; the bias of 33 (at 14 bits) makes each segment twice as wide as
// the one before.
func muLaw(octet byte) int16 {
	octet = ^octet
	segment, step := octet>>4&7, int16(octet&15)
	magnitude := (step<<1+33)<<segment - 33
	if octet&0x80 != 0 {
		return -magnitude << 2
	}
	return magnitude << 2
}

// aLaw expands one octet: every second bit is inverted; the sign bit is set for
// positive values; the two lowest segments have the same step.
func aLaw(octet byte) int16 {
	octet ^= 0x55
	segment, step := octet>>4&7, int16(octet&15)
	magnitude := step<<1 + 1
	if segment > 0 {
		magnitude = (magnitude + 32) << (segment - 1)
	}
	if octet&0x80 == 0 {
		return -magnitude << 3
	}
	return magnitude << 3
}
