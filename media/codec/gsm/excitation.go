package gsm

// weighting is the impulse response of the filter that chooses the pulses, 13
// fractional bits (table 5.4).
var weighting = [11]int16{-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134}

// mantissas and inverses are the eight mantissas of a peak and their inverses
// (tables 5.6 and 5.5).
var (
	mantissas = [8]int16{18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767}
	inverses  = [8]int16{29128, 26215, 23832, 21846, 20165, 18725, 17476, 16384}
)

// encodePulses chooses every third sample of the rest and codes them (sections
// 5.2.13 to 5.2.15).
func (f *subframe) encodePulses(rest *[quarter]int16) {
	x := weigh(rest)
	f.grid = grid(&x)
	var chosen [pulses]int16 // xM
	for i := range chosen {
		chosen[i] = x[int(f.grid)+3*i]
	}
	f.peak = peakCode(largest(chosen[:]))
	exponent, mantissa := peakParts(f.peak)
	for i, v := range chosen {
		f.pulses[i] = mul(v<<(6-exponent), inverses[mantissa])>>12 + 4
	}
}

// weigh filters the rest. Beyond the quarter it is zero.
func weigh(rest *[quarter]int16) (x [quarter]int16) {
	const margin = len(weighting) / 2
	var padded [quarter + 2*margin]int32
	for k, v := range rest {
		padded[margin+k] = int32(v)
	}
	for k := range x {
		sum := int32(1 << 12)
		for i, w := range weighting {
			sum += padded[k+i] * int32(w)
		}
		x[k] = saturate(sum >> 13)
	}
	return x
}

// grid is with which of the first four samples the loudest row of thirds begins.
func grid(x *[quarter]int16) (grid int16) {
	most := int32(0)
	for m := range 4 {
		sum := int32(0)
		for i := range pulses {
			v := int32(x[m+3*i] >> 2)
			sum += v * v
		}
		if sum > most {
			most, grid = sum, int16(m)
		}
	}
	return grid
}

// peakCode gives a peak 3 bits of exponent and 3 of mantissa.
func peakCode(peak int16) int16 {
	exponent := 0
	for v := peak >> 9; v > 0; v >>= 1 {
		exponent++
	}
	return peak>>(exponent+5) + int16(exponent)<<3
}

// peakParts takes a peak's code apart: exponent from -4 to 6, and index of the
// mantissa.
func peakParts(code int16) (exponent, mantissa int) {
	if code > 15 {
		exponent = int(code>>3) - 1
	}
	mantissa = int(code) - exponent<<3
	if mantissa == 0 {
		return -4, 7
	}
	for mantissa <= 7 {
		mantissa = mantissa<<1 | 1
		exponent--
	}
	return exponent, mantissa - 8
}

// decodePulses makes a quarter of which every third sample is a pulse, erp and ep
// (sections 5.2.16 and 5.2.17).
func (f *subframe) decodePulses() (rest [quarter]int16) {
	exponent, mantissa := peakParts(f.peak)
	shift := 6 - exponent
	half := int16(1 << shift >> 1)
	for i, code := range f.pulses {
		v := mulRound(mantissas[mantissa], (code<<1-7)<<12)
		rest[int(f.grid)+3*i] = add(v, half) >> shift
	}
	return rest
}
