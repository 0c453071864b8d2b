package playout

import "math"

// similarity finds the lag, between least and most, at which x repeats best what
// it was a lag before: x[n-lag:] is compared with x[n-2*lag...], by normalized
// correlation over span samples at the end of x. It returns the lag and the
// correlation, 0 for none to 1 for an exact repetition. x has at least most+span
// samples.
//
// The search first goes in steps of coarse samples, over every such sample, and
// is made exact about the best lag found.
func similarity(x []int16, least, most, span, coarse int) (lag int, correlation float64) {
	lag, _ = search(x, least, most, span, coarse)
	return search(x, max(least, lag-coarse), min(most, lag+coarse), span, 1)
}

func search(x []int16, least, most, span, step int) (lag int, best float64) {
	lag = least
	recent := x[len(x)-span:]
	energy := 1.0
	for i := 0; i < span; i += step {
		energy += float64(recent[i]) * float64(recent[i])
	}
	for try := least; try <= most; try += step {
		earlier := x[len(x)-span-try:]
		var product, power int64 = 0, 1
		for i := 0; i < span; i += step {
			e := int64(earlier[i])
			product += int64(recent[i]) * e
			power += e * e
		}
		if product <= 0 {
			continue
		}
		if c := float64(product) / math.Sqrt(energy*float64(power)); c > best {
			lag, best = try, c
		}
	}
	return lag, best
}
