package ilbc

// frame is the content of a frame, as the indices that are sent.
type frame struct {
	spectra [maxSets][3]uint8 // three parts of each (section 3.2.4)

	start uint8 // the two sub-blocks with the start state: start-1 and start, counted from 0
	first uint8 // 1: the state's samples are the first of the two, the short block the last; 0: the other way round
	scale uint8
	state [maxState]uint8

	codes [maxBlocks]code // in the order in which they are decoded, the short block's first
}

// code stands for one block of the residual (section 3.6).
type code struct{ vectors, gains [stages]uint8 }

// fields visits all values in the order of table 3.2.
func (f *frame) fields(m *mode, visit func(value *uint8, bits split)) {
	for i := range f.spectra[:m.sets] {
		for j := range f.spectra[i] {
			visit(&f.spectra[i][j], lsfBits[j])
		}
	}
	visit(&f.start, m.start)
	visit(&f.first, firstBits)
	visit(&f.scale, scaleBits)
	for i := range f.state[:m.state] {
		visit(&f.state[i], stateBits)
	}
	codeFields(f.codes[:1], m.codes[:1], visit)
	codeFields(f.codes[1:m.blocks()], m.codes[1:m.blocks()], visit)
}

func codeFields(codes []code, bits []codeBits, visit func(value *uint8, bits split)) {
	for i := range codes {
		for stage := range stages {
			visit(&codes[i].vectors[stage], bits[i].vectors[stage])
		}
	}
	for i := range codes {
		for stage := range stages {
			visit(&codes[i].gains[stage], bits[i].gains[stage])
		}
	}
}

// pack writes the frame to m.octets octets: all bits of class 1 in the order of the
// fields, then those of class 2, then those of class 3 (section 3.8).
func (f *frame) pack(m *mode, octets []byte) {
	clear(octets)
	at := 0
	for class := range len(split{}) {
		f.fields(m, func(value *uint8, bits split) {
			rest := 0
			for _, n := range bits[class+1:] {
				rest += int(n)
			}
			for i := int(bits[class]) - 1; i >= 0; i-- {
				bit := *value >> (rest + i) & 1
				octets[at/8] |= bit << (7 - at%8)
				at++
			}
		})
	}
	// The last bit stays 0: the frame is not empty.
}

// unpack reads m.octets octets. It says no if the frame is marked as empty, or has no
// place for its start state, which only a bit error can make.
func (f *frame) unpack(m *mode, octets []byte) (ok bool) {
	*f = frame{}
	at := 0
	for class := range len(split{}) {
		f.fields(m, func(value *uint8, bits split) {
			for range bits[class] {
				*value = *value<<1 | octets[at/8]>>(7-at%8)&1
				at++
			}
		})
	}
	empty := octets[m.octets-1]&1 != 0
	return !empty && f.start >= 1 && int(f.start) < m.subBlocks
}
