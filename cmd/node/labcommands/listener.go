package labcommands

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
)

// silentFrom is how long no audio at all must come before it is said.
const silentFrom = 500 * time.Millisecond

// listener turns what is known of a call at each look into what is new. It has no clock
// and does nothing itself.
type listener struct {
	plan   lab.Plan
	media  netip.AddrPort
	hears  []int
	silent time.Duration // that has been said; 0: there is audio
}

func newListener(p lab.Plan) *listener { return &listener{plan: p} }

// take says what has changed since the last look.
func (l *listener) take(s lab.CallStatus) (news []string) {
	if s.Media != l.media {
		at := fmt.Sprintf("%v, which is at no node", s.Media)
		for _, n := range l.plan.Nodes() {
			if n.Address == s.Media.Addr() {
				at = n.Name
			}
		}
		word := "its audio goes to"
		if !l.media.IsValid() {
			word = "answered; its audio goes to"
		}
		news, l.media = append(news, word+" "+at), s.Media
	}
	for _, hz := range s.Hears {
		if !slices.Contains(l.hears, hz) {
			news = append(news, fmt.Sprintf("hears %d Hz", hz))
		}
	}
	for _, hz := range l.hears {
		if !slices.Contains(s.Hears, hz) {
			news = append(news, fmt.Sprintf("does not hear %d Hz any more", hz))
		}
	}
	l.hears = s.Hears
	switch {
	case s.Silent >= silentFrom && l.silent == 0:
		news = append(news, "has no audio at all")
	case s.Silent == 0 && l.silent > 0:
		news = append(news, fmt.Sprintf("has audio again, after some %.1fs", l.silent.Seconds()))
	}
	if s.Silent >= silentFrom || s.Silent == 0 {
		l.silent = s.Silent
	}
	return news
}

const (
	// runFrom is how much of a tone must come at a time to be heard: a spoken prompt
	// passes for tones in single windows of 50 ms.
	runFrom = 250 * time.Millisecond
	// breakFrom is how long a tone, or all audio, must be away to count as a break.
	breakFrom = 200 * time.Millisecond
)

// summarize says at the end of a call what was heard, and what was not.
func summarize(out io.Writer, r lab.CallReport) {
	fmt.Fprintf(out, "The call has ended: %s.\n", r.Ended)
	tones := map[int]bool{}
	for _, s := range r.Timeline.Heard {
		tones[s.Tone] = true
	}
	some := false
	for _, hz := range slices.Sorted(maps.Keys(tones)) {
		all := runs(r.Timeline, hz)
		if len(all) == 0 {
			continue
		}
		some = true
		var total time.Duration
		var breaks []caller.Gap
		for i, run := range all {
			total += run.heard
			if i > 0 {
				breaks = append(breaks, caller.Gap{From: all[i-1].to, To: run.from})
			}
		}
		fmt.Fprintf(out, "It heard %d Hz for %s, from %s to %s; breaks: %s.\n",
			hz, seconds(total), clock(all[0].from), clock(all[len(all)-1].to), breakText(breaks))
	}
	if !some {
		fmt.Fprintln(out, "It heard no tone.")
	}
	gaps := slices.DeleteFunc(slices.Clone(r.Timeline.Gaps), func(g caller.Gap) bool { return g.To.Sub(g.From) < breakFrom })
	fmt.Fprintf(out, "Times without any audio: %s.\n", breakText(gaps))
}

// run is a time in which a tone was heard without a break.
type run struct {
	from, to time.Time
	heard    time.Duration
}

// runs are those of a tone.
func runs(t caller.Timeline, hz int) (all []run) {
	for _, s := range t.Heard {
		if s.Tone != hz {
			continue
		}
		if last := len(all) - 1; last >= 0 && s.From.Sub(all[last].to) < breakFrom {
			all[last].to, all[last].heard = s.To, all[last].heard+s.To.Sub(s.From)
			continue
		}
		all = append(all, run{s.From, s.To, s.To.Sub(s.From)})
	}
	return slices.DeleteFunc(all, func(r run) bool { return r.heard < runFrom })
}

// breakText tells of times in which something was not there.
func breakText(breaks []caller.Gap) string {
	if len(breaks) == 0 {
		return "none"
	}
	longest := slices.MaxFunc(breaks, func(a, b caller.Gap) int { return int(a.To.Sub(a.From) - b.To.Sub(b.From)) })
	length := seconds(longest.To.Sub(longest.From))
	if len(breaks) == 1 {
		return fmt.Sprintf("one, of %s at %s", length, clock(longest.From))
	}
	return fmt.Sprintf("%d, the longest of %s at %s", len(breaks), length, clock(longest.From))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
