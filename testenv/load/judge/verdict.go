package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Limits are what is still well.
type Limits struct {
	Absent     float64       // share of the tones that must be there, over all seconds
	Foreign    int           // seconds with a tone that nobody spoke with
	Level      float64       // decibels between a listener's tones and those of all of its kind
	Clipped    float64       // share of the samples at full scale
	Silent     float64       // share of the time in which somebody speaks
	LongestGap time.Duration // of silence in it
}

// DefaultLimits are those of a good conference: what is beyond them a listener would
// notice.
func DefaultLimits() Limits {
	return Limits{Absent: 0.005, Foreign: 0, Level: 6, Clipped: 0.001, Silent: 0.001, LongestGap: 100 * time.Millisecond}
}

// Busy are the limits on a machine that does other things, where both what callers send
// and what they are sent may come too late to be heard: of the tones of a room most must be
// there, and gaps are not counted.
func (l Limits) Busy() Limits {
	l.Absent, l.Silent, l.LongestGap = 0.5, 1, time.Hour
	return l
}

// coarse are the limits where a codec blurs tones: one of several may hide behind the
// others, but not most of them.
func (l Limits) coarse() Limits {
	l.Absent, l.Level = max(0.6, l.Absent), 20
	return l
}

// Verdict is about all listeners.
type Verdict struct {
	Listeners int
	Heard     time.Duration // of sound, all together
	Absent    float64       // share of all tones that had to be there
	Foreign   int
	Missing   int // frames
	Gaps      int
	Longest   time.Duration
	Clipped   float64 // at the listener that has most of it
	Spread    float64 // decibels between a tone and the usual level of its kind, at most
	Faulty    []Fault // the worst first
}

// Fault is what is wrong with what one listener heard.
type Fault struct {
	Who     string
	Index   int // of its findings
	Reasons []string
	weight  float64
}

func (f Fault) String() string { return f.Who + ": " + strings.Join(f.Reasons, "; ") }

// Judge puts the findings about all listeners together.
func Judge(all []Findings, l Limits) (v Verdict) {
	usual := usualLevels(all)
	expected, absent := 0, 0
	for i, f := range all {
		spread := f.spread(usual[f.Kind])
		v.Listeners++
		v.Heard += f.Length
		v.Foreign += f.Foreign
		v.Missing += f.Missing
		v.Gaps += f.Gaps
		v.Longest = max(v.Longest, f.LongestGap)
		v.Clipped = max(v.Clipped, f.Clipped)
		v.Spread = max(v.Spread, spread)
		expected += f.Expected
		absent += f.Absent
		if fault := f.against(l, spread, usual[f.Kind]); len(fault.Reasons) > 0 {
			fault.Index = i
			v.Faulty = append(v.Faulty, fault)
		}
	}
	v.Absent = share(absent, expected)
	slices.SortStableFunc(v.Faulty, func(a, b Fault) int { return cmp.Compare(b.weight, a.weight) })
	return v
}

// usualLevels is the median level of all tones that the listeners of each kind heard.
func usualLevels(all []Findings) map[string]float64 {
	levels := map[string][]float64{}
	for _, f := range all {
		for _, l := range f.Levels {
			if l != 0 {
				levels[f.Kind] = append(levels[f.Kind], l)
			}
		}
	}
	usual := map[string]float64{}
	for kind, list := range levels {
		usual[kind] = median(list)
	}
	return usual
}

// spread is how far the listener's tones are from the usual level at most, in decibels.
func (f Findings) spread(usual float64) (most float64) {
	for _, l := range f.Levels {
		if l != 0 {
			most = max(most, math.Abs(l-usual))
		}
	}
	return most
}

// against compares with the limits. How bad something is, is how many times the limit it
// has; one foreign tone is worse than any of that.
func (f Findings) against(l Limits, spread, usual float64) Fault {
	if f.Coarse {
		l = l.coarse()
	}
	fault := Fault{Who: f.Who}
	blame := func(wrong bool, weight float64, format string, args ...any) {
		if wrong {
			fault.Reasons = append(fault.Reasons, fmt.Sprintf(format, args...))
			fault.weight += weight
		}
	}
	absent, silent := share(f.Absent, f.Expected), share(int(f.Silent), int(f.Spoken))
	blame(f.Length < second, 1e6, "heard %v of sound", f.Length)
	blame(f.Foreign > l.Foreign, 1e6+float64(f.Foreign), "%d s of tones that nobody else in the room has", f.Foreign)
	blame(absent > l.Absent, absent/l.Absent, "%.1f %% of the tones of its room are missing", 100*absent)
	blame(spread > l.Level, spread/l.Level, "a tone is %.1f dB from the usual %.1f dBFS", spread, usual)
	blame(f.Clipped > l.Clipped, f.Clipped/l.Clipped, "%.2f %% of the samples are clipped", 100*f.Clipped)
	blame(silent > l.Silent || f.LongestGap > l.LongestGap, silent/l.Silent, "silent for %v while somebody spoke, in %d gaps of up to %v", f.Silent, f.Gaps, f.LongestGap)
	return fault
}

func share(part, whole int) float64 { return float64(part) / float64(max(1, whole)) }
