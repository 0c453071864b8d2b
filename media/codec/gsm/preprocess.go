package gsm

// preprocessor takes offset out and lifts the high frequencies (section 5.2.1 to
// 5.2.3).
type preprocessor struct {
	last     int16 // z1: the input of one sample before
	offset   int32 // L_z2: the output of the notch filter, 15 more bits
	emphasis int16 // mp
}

func (p *preprocessor) filter(pcm *[FrameSamples]int16) (s [FrameSamples]int16) {
	for k, v := range pcm {
		v = v >> 3 << 2 // 13 bits, scaled down by two
		change := int32(v-p.last) << 15
		p.last = v

		// The product with 32735/32768, of upper and lower half separately.
		upper := p.offset >> 15
		lower := int16(p.offset - upper<<15)
		change += int32(mulRound(lower, 32735))
		p.offset = addLong(upper*32735, change)

		level := addLong(p.offset, 1<<14) >> 15
		s[k] = saturate(level + int32(mulRound(p.emphasis, -28180)))
		p.emphasis = int16(level)
	}
	return s
}
