package soak

import (
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/judge"
)

const (
	// lateBeyond is how much later than with a handful of callers 99.9 % of the packets may
	// be: half a frame.
	lateBeyond = 10 * time.Millisecond
	// badBeyond is the share of packets, lost or more than a frame late, that there may be
	// beyond that with a handful.
	badBeyond = 0.001
	// tellsGrowth is how long half of the time must be for growth to be told from chance:
	// the collector of Go alone takes minutes to find its pace.
	tellsGrowth = 5 * time.Minute
)

// limits are those of what is heard.
func (c Config) limits() judge.Limits {
	l := judge.DefaultLimits()
	if c.Busy {
		l = l.Busy()
	}
	return l
}

// wrong says why the soak has failed.
func (c Config) wrong(r Result) (list []string) {
	blame := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if !c.Busy {
		list = append(list, late(r.Floor, r.Load)...)
	}
	if r.Load.Received == 0 {
		blame("no audio came")
	}
	if r.Calls.Failed > 0 {
		blame("%d of %d calls failed: %q", r.Calls.Failed, r.Calls.Begun, r.Calls.Problems)
	}
	if n := len(r.Heard.Faulty); n > 0 {
		blame("%d of %d listeners and recordings heard what they should not, or not what they should", n, r.Heard.Listeners)
	}
	if r.Heard.Listeners == 0 && (c.Load.Listen > 0 || c.Record > 0) {
		blame("nobody was listened to")
	}
	for _, g := range r.Growths {
		if g.Leaks() {
			blame("%v", g)
		}
	}
	return append(list, leftBehind(r.Before, r.After)...)
}

// late compares the load with the noise of the machine.
func late(floor, loaded load.Window) (list []string) {
	if err := loaded.Blame(); err != nil {
		list = append(list, err.Error())
	}
	noise, got := floor.Late.Quantile(0.999), loaded.Late.Quantile(0.999)
	if got > noise+lateBeyond {
		list = append(list, fmt.Sprintf("99.9 %% of the packets came within %v; with few callers, within %v", got, noise))
	}
	if loaded.Bad() > floor.Bad()+badBeyond {
		list = append(list, fmt.Sprintf("%.3f %% of the packets were lost or over %v late; with few callers, %.3f %%", 100*loaded.Bad(), load.TooLate, 100*floor.Bad()))
	}
	return list
}

// leftBehind says what the node has that it had not before its callers came. A few
// goroutines and files more are connections to the store and to who asks for figures.
func leftBehind(before, after load.Figures) (list []string) {
	for _, f := range []struct {
		what          string
		before, after int
		more          int
	}{
		{"participants", 0, after.Participants, 0},
		{"recordings", before.Recordings, after.Recordings, 0},
		{"pairs of ports", before.Ports, after.Ports, 0},
		{"goroutines", before.Goroutines, after.Goroutines, 10},
		{"descriptors", before.Descriptors, after.Descriptors, 8},
	} {
		// Without figures of before, only what must be none is known.
		if f.after > f.before+f.more && (f.more == 0 || f.before > 0) {
			list = append(list, fmt.Sprintf("%d %s are left after the last caller; there were %d before the first", f.after, f.what, f.before))
		}
	}
	return list
}

// Growth is how one thing changed over the second half of the time.
type Growth struct {
	What    string
	Unit    string
	Allowed float64 // growth in that half that is none: callers come and go, and the collector takes its time
	judge.Growth
}

// Leaks says whether it grew. Of less than ten minutes in all it says no.
func (g Growth) Leaks() bool { return g.Over >= tellsGrowth && g.Leak(g.Allowed) }

func (g Growth) String() string {
	verdict := "no leak"
	switch {
	case g.Over < tellsGrowth:
		verdict = "too short to tell"
	case g.Leaks():
		verdict = "LEAK"
	}
	return fmt.Sprintf("%s: %+.1f %s (±%.1f) in %v, from a mean of %.1f: %s", g.What, g.Grew, g.Unit, g.Error, g.Over.Round(time.Second), g.Mean, verdict)
}

// growths are those of all that could leak.
func growths(samples []sample) (list []Growth) {
	for _, t := range []struct {
		what, unit string
		least      float64 // that is allowed at least
		share      float64 // of the mean that is allowed
		of         func(load.Figures) float64
	}{
		{"resident memory", "MB", 4, 0.03, func(f load.Figures) float64 { return float64(f.Memory) / 1e6 }},
		{"heap in use", "MB", 3, 0.05, func(f load.Figures) float64 { return float64(f.Heap) / 1e6 }},
		{"goroutines", "", 10, 0.02, func(f load.Figures) float64 { return float64(f.Goroutines) }},
		{"descriptors", "", 10, 0.02, func(f load.Figures) float64 { return float64(f.Descriptors) }},
		{"pairs of ports", "", 10, 0.02, func(f load.Figures) float64 { return float64(f.Ports) }},
	} {
		var series []judge.Sample
		for _, s := range samples {
			series = append(series, judge.Sample{At: s.at, Value: t.of(s.Figures)})
		}
		fit := judge.Fit(series)
		list = append(list, Growth{What: t.what, Unit: t.unit, Allowed: max(t.least, t.share*fit.Mean), Growth: fit})
	}
	return list
}
