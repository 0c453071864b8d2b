package labcommands

import (
	"fmt"
	"io"
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
	// heardFrom is how long a tone must have been heard in all, to be told of at the end:
	// a spoken prompt passes for tones in single windows.
	heardFrom = 500 * time.Millisecond
	// breakFrom is how long a tone must be away to count as a break.
	breakFrom = 200 * time.Millisecond
)

// summarize says at the end of a call what was heard, and what was not.
func summarize(out io.Writer, r lab.CallReport) {
	fmt.Fprintf(out, "The call has ended: %s.\n", r.Ended)
	var tones []int
	for _, s := range r.Timeline.Heard {
		if !slices.Contains(tones, s.Tone) {
			tones = append(tones, s.Tone)
		}
	}
	slices.Sort(tones)
	some := false
	for _, hz := range tones {
		if total, breaks := hearing(r.Timeline, hz); total >= heardFrom {
			some = true
			fmt.Fprintf(out, "It heard %d Hz for %s; %s.\n", hz, seconds(total), breakText("it was away", breaks))
		}
	}
	if !some {
		fmt.Fprintln(out, "It heard no tone.")
	}
	gaps := slices.DeleteFunc(slices.Clone(r.Timeline.Gaps), func(g caller.Gap) bool { return g.To.Sub(g.From) < breakFrom })
	fmt.Fprintf(out, "No audio at all: %s.\n", breakText("", gaps))
}

// hearing is how long a tone was heard in all, and the times between.
func hearing(t caller.Timeline, hz int) (total time.Duration, breaks []caller.Gap) {
	var last time.Time
	for _, s := range t.Heard {
		if s.Tone != hz {
			continue
		}
		if !last.IsZero() && s.From.Sub(last) >= breakFrom {
			breaks = append(breaks, caller.Gap{From: last, To: s.From})
		}
		total, last = total+s.To.Sub(s.From), s.To
	}
	return total, breaks
}

// breakText tells of times in which something was not there.
func breakText(what string, breaks []caller.Gap) string {
	if len(breaks) == 0 {
		if what == "" {
			return "never"
		}
		return "without a break"
	}
	longest := slices.MaxFunc(breaks, func(a, b caller.Gap) int { return int(a.To.Sub(a.From) - b.To.Sub(b.From)) })
	if what != "" {
		what += " "
	}
	text := fmt.Sprintf("%s%d times, the longest for %s from %s on", what, len(breaks), seconds(longest.To.Sub(longest.From)), clock(longest.From))
	if len(breaks) == 1 {
		text = fmt.Sprintf("%sonce, for %s from %s on", what, seconds(longest.To.Sub(longest.From)), clock(longest.From))
	}
	return text
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
