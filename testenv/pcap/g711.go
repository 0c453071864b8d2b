package pcap

// Encode compresses one sample by ITU-T G.711.
func (c Codec) Encode(sample int16) byte {
	if c == PCMA {
		return aLaw(sample)
	}
	return muLaw(sample)
}

// muLaw: 14 bits of magnitude and sign, biased by 33 so that segment n begins at
// 2^(n+5); all bits inverted.
func muLaw(sample int16) byte {
	value, sign := int(sample)>>2, byte(0)
	if value < 0 {
		value, sign = -value, 0x80
	}
	value = min(value, 8158) + 33
	segment := 0
	for value>>(segment+6) != 0 {
		segment++
	}
	return ^(sign | byte(segment)<<4 | byte(value>>(segment+1))&15)
}

// aLaw: 13 bits; the first two segments have one step; every second bit inverted,
// and the sign bit set for positive values.
func aLaw(sample int16) byte {
	value, sign := int(sample)>>3, byte(0x80)
	if value < 0 {
		value, sign = -value-1, 0
	}
	segment := 0
	for value>>(segment+5) != 0 {
		segment++
	}
	step := value >> max(segment, 1)
	return (sign | byte(segment)<<4 | byte(step)&15) ^ 0x55
}
