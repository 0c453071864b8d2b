package judge

import (
	"math"
	"time"
)

// Sample is what was measured at a time.
type Sample struct {
	At    time.Duration // since any moment
	Value float64
}

// Growth is the line of least squares through the second half of a measurement: the first
// may still fill caches and pools.
type Growth struct {
	Mean  float64
	Grew  float64       // by the line, from the beginning to the end of that half
	Error float64       // standard error of Grew
	Over  time.Duration // how long that half was
}

// Fit draws the line. Of fewer than three samples it says nothing: all is zero.
func Fit(samples []Sample) (g Growth) {
	if len(samples) == 0 {
		return g
	}
	first, last := samples[0].At, samples[len(samples)-1].At
	for len(samples) > 0 && samples[0].At < first+(last-first)/2 {
		samples = samples[1:]
	}
	n := float64(len(samples))
	if n < 3 {
		return g
	}
	g.Over = last - samples[0].At
	x := func(s Sample) float64 { return (s.At - samples[0].At).Seconds() }
	meanX := 0.0
	for _, s := range samples {
		meanX += x(s) / n
		g.Mean += s.Value / n
	}
	var xx, xy float64
	for _, s := range samples {
		xx += (x(s) - meanX) * (x(s) - meanX)
		xy += (x(s) - meanX) * (s.Value - g.Mean)
	}
	if xx == 0 {
		return g
	}
	slope, squares := xy/xx, 0.0
	for _, s := range samples {
		rest := s.Value - g.Mean - slope*(x(s)-meanX)
		squares += rest * rest
	}
	g.Grew = slope * g.Over.Seconds()
	g.Error = math.Sqrt(squares/(n-2)/xx) * g.Over.Seconds()
	return g
}

// Leak says whether it grew by more than is allowed, beyond what may be chance: twice the
// standard error.
func (g Growth) Leak(allowed float64) bool { return g.Grew-2*g.Error > allowed }
