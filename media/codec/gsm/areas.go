package gsm

// Log area ratios are what reflection coefficients are sent as, for they bear
// coarse steps better.

// areaRange is how one ratio is quantized: slope and offset (tables 5.1 and 5.2),
// the least and the largest code, and the inverse of the slope.
var areaRange = [order]struct{ slope, offset, least, most, inverse int16 }{
	{20480, 0, -32, 31, 13107},
	{20480, 0, -32, 31, 13107},
	{20480, 2048, -16, 15, 13107},
	{20480, -2560, -16, 15, 13107},
	{13964, 94, -8, 7, 19223},
	{15360, -1792, -8, 7, 17476},
	{8534, -341, -4, 3, 31454},
	{9036, -1144, -4, 3, 29708},
}

// quantizeAreas is sections 5.2.6 and 5.2.7: reflection coefficients to codes.
func quantizeAreas(r [order]int16) (codes [order]int16) {
	for i, v := range r {
		size := abs(v)
		switch {
		case size < 22118:
			size >>= 1
		case size < 31130:
			size -= 11059
		default:
			size = (size - 26112) << 2
		}
		if v < 0 {
			size = -size
		}
		a := &areaRange[i]
		code := add(add(mul(a.slope, size), a.offset), 256) >> 9
		codes[i] = max(a.least, min(code, a.most)) - a.least
	}
	return codes
}

// areas are the decoded ratios of this frame and the one before, LARpp, between
// which the filter goes over.
type areas struct{ last, current [order]int16 }

// next decodes those of the next frame (section 5.2.8).
func (a *areas) next(codes *[order]int16) {
	a.last = a.current
	for i, code := range codes {
		t := &areaRange[i]
		v := mulRound(t.inverse, sub((code+t.least)<<10, t.offset<<1))
		a.current[i] = add(v, v)
	}
}

// part is a stretch of the frame in which the filter stays the same.
type part struct{ from, to int }

// parts are those of section 5.2.9.1, in which the ratios are 3/4, 1/2, 1/4 and
// nothing of the last frame's.
var parts = [4]part{{0, 13}, {13, 27}, {27, 40}, {40, FrameSamples}}

// filter gives the reflection coefficients in a part, rp (section 5.2.9).
func (a *areas) filter(part int) (r [order]int16) {
	for i := range r {
		r[i] = reflection(between(a.last[i], a.current[i], part))
	}
	return r
}

func between(last, current int16, part int) int16 {
	switch part {
	case 0:
		return add(add(last>>2, current>>2), last>>1)
	case 1:
		return add(last>>1, current>>1)
	case 2:
		return add(add(last>>2, current>>2), current>>1)
	default:
		return current
	}
}

// reflection turns a ratio back into a coefficient (section 5.2.9.2).
func reflection(area int16) int16 {
	size := abs(area)
	switch {
	case size < 11059:
		size <<= 1
	case size < 20070:
		size += 11059
	default:
		size = add(size>>2, 26112)
	}
	if area < 0 {
		return -size
	}
	return size
}
