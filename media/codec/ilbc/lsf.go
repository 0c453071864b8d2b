package ilbc

import "math"

// fromFilter finds the line spectral frequencies of a filter (section 3.2.3): the angles
// of the roots of the polynomials A(z) ± z^-11·A(1/z), which lie on the unit circle and
// take turns. It says no if there are not ten of them.
func (s *spectrum) fromFilter(a *filter) (ok bool) {
	// The root at -1 of the one, and at 1 of the other, is divided out; what is left is
	// symmetric, and so a series of cosines.
	sum, difference := [order/2 + 1]float64{1}, [order/2 + 1]float64{1}
	for i := 1; i <= order/2; i++ {
		sum[i] = a[i] + a[order+1-i] - sum[i-1]
		difference[i] = a[i] - a[order+1-i] + difference[i-1]
	}
	const step = 0.04 // 51 Hz: two roots of one polynomial are not that near to one another
	angle := 0.0
	for i := range s {
		series := &sum
		if i%2 == 1 {
			series = &difference
		}
		sign := 1.0 // of the series before this root
		if i/2%2 == 1 {
			sign = -1
		}
		for sign*cosines(series, angle) > 0 {
			if angle == math.Pi {
				return false
			}
			angle = min(angle+step, math.Pi)
		}
		low, high := max(0, angle-step), angle
		for range 8 {
			middle := (low + high) / 2
			if sign*cosines(series, middle) > 0 {
				low = middle
			} else {
				high = middle
			}
		}
		s[i] = (low + high) / 2
	}
	return true
}

// cosines is cos(5w) + c[1]·cos(4w) + … + c[4]·cos(w) + c[5]/2, by Clenshaw's recursion.
func cosines(c *[order/2 + 1]float64, w float64) float64 {
	x := math.Cos(w)
	b, before := 1.0, 0.0
	for i := 1; i < order/2; i++ {
		b, before = 2*x*b-before+c[i], b
	}
	return x*b - before + c[order/2]/2
}

// filter is the inverse of fromFilter.
func (s *spectrum) filter() (a filter) {
	sum, difference := [order + 2]float64{1, 1}, [order + 2]float64{1, -1}
	for i := 0; i < order; i += 2 {
		addRoot(&sum, i+1, s[i])
		addRoot(&difference, i+1, s[i+1])
	}
	for i := range a {
		a[i] = (sum[i] + difference[i]) / 2
	}
	return a
}

// addRoot multiplies a polynomial of a degree by that with a pair of roots at an angle.
func addRoot(polynomial *[order + 2]float64, degree int, angle float64) {
	c := -2 * math.Cos(angle)
	for i := degree + 2; i >= 2; i-- {
		polynomial[i] += c*polynomial[i-1] + polynomial[i-2]
	}
	polynomial[1] += c * polynomial[0]
}

// parts are the codebooks of the split vector quantizer (section 3.2.4), each for the
// next frequencies of a spectrum.
var parts = [3]struct {
	width    int
	codebook []float64
}{{3, lsfLow[:]}, {3, lsfMiddle[:]}, {4, lsfHigh[:]}}

// quantize finds the nearest spectrum that can be sent.
func (s *spectrum) quantize() (indices [3]uint8) {
	from := 0
	for i, part := range parts {
		indices[i] = nearest(s[from:from+part.width], part.codebook)
		from += part.width
	}
	return indices
}

func nearest(v, codebook []float64) (index uint8) {
	best := math.Inf(1)
	for i := 0; i < len(codebook); i += len(v) {
		distance := 0.0
		for j, x := range v {
			d := x - codebook[i+j]
			distance += d * d
		}
		if distance < best {
			best, index = distance, uint8(i/len(v))
		}
	}
	return index
}

// received is the spectrum that indices stand for, made stable.
func received(indices [3]uint8) (s spectrum) {
	from := 0
	for i, part := range parts {
		copy(s[from:from+part.width], part.codebook[int(indices[i])*part.width:])
		from += part.width
	}
	s.stabilize()
	return s
}

// stabilize moves frequencies apart that are out of order, or nearer than 50 Hz, in two
// rounds (section 3.2.5). Encoder and decoder must do the same here. The codebooks end
// well below the upper limit, so that the last frequency needs none.
func (s *spectrum) stabilize() {
	const (
		margin       = 0.039
		half         = margin / 2
		lower, upper = 0.01, 3.14
	)
	for range 2 {
		for i := range order - 1 {
			switch apart := s[i+1] - s[i]; {
			case apart < 0:
				s[i+1] = s[i] + half
			case apart < margin:
				s[i] -= half
				s[i+1] += half
			}
			s[i] = max(lower, min(s[i], upper))
		}
	}
}

// interpolate writes the filter of each sub-block, from the spectra of a frame and the
// last one of the frame before. In a frame of 20 ms all sub-blocks are between that and
// the frame's own; in one of 30 ms only the first, the others are between its two.
func (m *mode) interpolate(filters []filter, previous *spectrum, spectra []spectrum) {
	for i := range filters[:m.subBlocks] {
		from, to := previous, &spectra[0]
		if m.sets == 2 && i > 0 {
			from, to = &spectra[0], &spectra[1]
		}
		var between spectrum
		for k := range between {
			between[k] = m.weights[i]*from[k] + (1-m.weights[i])*to[k]
		}
		filters[i] = between.filter()
	}
}
