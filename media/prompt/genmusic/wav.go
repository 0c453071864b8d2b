package main

import (
	"bytes"
	"encoding/binary"
	"math"
)

// wav returns a WAVE file of samples as mu-law octets (format tag 7).
func wav(samples []float64) []byte {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer does not fail
	n := uint32(len(samples))
	b.WriteString("RIFF")
	le(4 + (8 + 18) + (8 + 4) + (8 + n + n%2))
	b.WriteString("WAVEfmt ")
	le(uint32(18))
	le([]uint16{7, 1}) // mu-law, mono
	le([]uint32{rate, rate})
	le([]uint16{1, 8, 0}) // one octet a sample, no extension
	b.WriteString("fact")
	le([]uint32{4, n})
	b.WriteString("data")
	le(n)
	for _, s := range samples {
		b.WriteByte(muLaw(s))
	}
	if n%2 == 1 {
		b.WriteByte(0)
	}
	return b.Bytes()
}

// muLaw compresses a sample in -1..1 by ITU-T G.711: with the bias of 33, the
// segment is the place of the highest bit of the 13-bit magnitude.
func muLaw(sample float64) byte {
	var sign byte
	if sample < 0 {
		sign, sample = 0x80, -sample
	}
	magnitude := min(int(math.Round(sample*8192)), 8158) + 33
	segment := 0
	for magnitude>>(segment+6) != 0 {
		segment++
	}
	return ^(sign | byte(segment<<4) | byte(magnitude>>(segment+1)&15))
}
