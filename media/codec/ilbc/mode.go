package ilbc

import "time"

const (
	subBlock     = 40 // samples that share one filter, and that one codeword stands for
	order        = 10 // of the filters
	maxSamples   = 240
	maxSubBlocks = maxSamples / subBlock
	maxState     = 58
	maxSets      = 2
	maxBlocks    = maxSubBlocks - 1 // codewords of a frame: the short block, and all sub-blocks but the start state's two
)

// filter is 1 + a[1]·z^-1 + … + a[10]·z^-10, with a[0] = 1. It is A(z) of section 3.2,
// which takes the spectrum out of speech; its inverse puts it back.
type filter [order + 1]float64

// spectrum is a filter as line spectral frequencies, in radians, ascending.
type spectrum [order]float64

// mode is what differs between frames of 20 and of 30 ms.
type mode struct {
	samples   int // of a frame
	subBlocks int
	octets    int
	sets      int // spectra that are sent
	state     int // samples of the start state that are sent one by one
	delay     int // samples by which the enhancer is behind

	// weights lead from one spectrum to the next, sub-block by sub-block: how much there
	// still is of the earlier one (sections 3.2.6 and 3.2.7; see interpolate).
	weights [maxSubBlocks]float64
	// energies weigh the places where the start state may be: rather in the middle
	// (section 3.5.1).
	energies []float64

	start split               // bits of the start state's place
	codes [maxBlocks]codeBits // bits of the codewords, the short block's first
}

// split is how many bits of a value, from the most significant on, are in each of the
// three classes of sensitivity (table 3.2).
type split [3]uint8

type codeBits struct{ vectors, gains [stages]split }

var (
	lsfBits   = [3]split{{6, 0, 0}, {7, 0, 0}, {7, 0, 0}}
	firstBits = split{1, 0, 0}
	scaleBits = split{6, 0, 0}
	stateBits = split{0, 1, 2}
)

var mode20 = mode{
	samples: 160, subBlocks: 4, octets: 38, sets: 1, state: 57, delay: 40,
	weights:  [maxSubBlocks]float64{3.0 / 4, 2.0 / 4, 1.0 / 4, 0},
	energies: []float64{0.9, 1, 0.9},
	start:    split{2, 0, 0},
	codes: [maxBlocks]codeBits{
		{[stages]split{{6, 0, 1}, {0, 0, 7}, {0, 0, 7}}, [stages]split{{2, 0, 3}, {1, 1, 2}, {0, 0, 3}}},
		{[stages]split{{7, 0, 1}, {0, 0, 7}, {0, 0, 7}}, [stages]split{{1, 2, 2}, {1, 1, 2}, {0, 0, 3}}},
		{[stages]split{{0, 0, 8}, {0, 0, 8}, {0, 0, 8}}, [stages]split{{1, 1, 3}, {0, 2, 2}, {0, 0, 3}}},
	},
}

var mode30 = mode{
	samples: 240, subBlocks: 6, octets: 50, sets: 2, state: 58, delay: 80,
	weights:  [maxSubBlocks]float64{1.0 / 2, 1, 2.0 / 3, 1.0 / 3, 0, 0},
	energies: []float64{0.8, 0.9, 1, 0.9, 0.8},
	start:    split{3, 0, 0},
	codes: [maxBlocks]codeBits{
		{[stages]split{{4, 2, 1}, {0, 0, 7}, {0, 0, 7}}, [stages]split{{1, 1, 3}, {1, 1, 2}, {0, 0, 3}}},
		{[stages]split{{6, 1, 1}, {0, 0, 7}, {0, 0, 7}}, [stages]split{{1, 2, 2}, {1, 2, 1}, {0, 0, 3}}},
		{[stages]split{{0, 7, 1}, {0, 0, 8}, {0, 0, 8}}, [stages]split{{0, 2, 3}, {0, 2, 2}, {0, 0, 3}}},
		{[stages]split{{0, 7, 1}, {0, 0, 8}, {0, 0, 8}}, [stages]split{{0, 1, 4}, {0, 1, 3}, {0, 0, 3}}},
		{[stages]split{{0, 7, 1}, {0, 0, 8}, {0, 0, 8}}, [stages]split{{0, 1, 4}, {0, 1, 3}, {0, 0, 3}}},
	},
}

// modeOf finds the mode whose frames last that long, or nil.
func modeOf(frame time.Duration) *mode {
	switch frame {
	case 20 * time.Millisecond:
		return &mode20
	case 30 * time.Millisecond:
		return &mode30
	}
	return nil
}

// modeFor tells the mode of a payload by its length; agreed is for lengths that both
// could have. It is nil if the payload is not whole frames of either.
func modeFor(octets int, agreed *mode) *mode {
	for _, m := range [...]*mode{agreed, &mode20, &mode30} {
		if octets > 0 && octets%m.octets == 0 {
			return m
		}
	}
	return nil
}

// blocks is how many codewords a frame has.
func (m *mode) blocks() int { return m.subBlocks - 1 }
