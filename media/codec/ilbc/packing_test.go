package ilbc

import (
	"math/rand/v2"
	"testing"
)

// TestLayout: the sums of table 3.2.
func TestLayout(t *testing.T) {
	for m, want := range map[*mode][3]int{&mode20: {48, 64, 191}, &mode30: {64, 96, 239}} {
		var sums [3]int
		(&frame{}).fields(m, func(_ *uint8, bits split) {
			for class, n := range bits {
				sums[class] += int(n)
			}
		})
		if sums != want {
			t.Errorf("%d samples: %v bits in the classes, want %v", m.samples, sums, want)
		}
	}
}

func TestPackedFramesUnpack(t *testing.T) {
	random := rand.New(rand.NewPCG(39, 51))
	for _, m := range []*mode{&mode20, &mode30} {
		for range 200 {
			var f, got frame
			f.fields(m, func(value *uint8, bits split) {
				*value = uint8(random.UintN(1 << (bits[0] + bits[1] + bits[2])))
			})
			octets := make([]byte, m.octets)
			f.pack(m, octets)
			ok := got.unpack(m, octets)
			if got != f || ok != (f.start > 0 && int(f.start) < m.subBlocks) {
				t.Fatalf("%+v comes back as %+v, %v", f, got, ok)
			}
			octets[m.octets-1] |= 1
			if got.unpack(m, octets) {
				t.Fatal("a frame that is marked as empty is not taken for one")
			}
		}
	}
}

// TestFirstOctets: the order of the class 1 bits.
func TestFirstOctets(t *testing.T) {
	f := frame{start: 3, first: 1, scale: 63}
	f.spectra[0] = [3]uint8{0x2a, 0x55, 0x01}
	octets := make([]byte, mode20.octets)
	f.pack(&mode20, octets)
	// 101010 1010101 0000001 11 1 111111 ...
	if octets[0] != 0b10101010 || octets[1] != 0b10101000 || octets[2] != 0b00011111 || octets[3] != 0b11111000 {
		t.Errorf("%08b", octets[:4])
	}
}

func TestCodesOfTheFirstSubBlock(t *testing.T) {
	for wide := range 256 {
		if plain := wide % allSection; plain >= fewPlain && plain < allPlain {
			continue // out of its reach
		}
		c := code{vectors: [stages]uint8{200, uint8(wide), uint8(wide)}}
		before := c
		if c.narrow(); c.vectors[1] > 127 || c.vectors[0] != 200 {
			t.Errorf("%d is narrowed to %d", wide, c.vectors[1])
		}
		if c.widen(); c != before {
			t.Errorf("%d comes back as %d", wide, c.vectors[1])
		}
	}
}
