package caller

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Span is a time in which a tone was heard.
type Span struct {
	Tone     int // Hz
	From, To time.Time
}

// Gap is a time in which no audio arrived at all.
type Gap struct{ From, To time.Time }

// Source is a sender of audio, from when its first packet came.
type Source struct {
	At   time.Time
	From netip.AddrPort
	SSRC uint32
}

// Event is something that happened to the call, in words.
type Event struct {
	At   time.Time
	What string
}

// Timeline is what a caller heard and what happened to it, in order.
type Timeline struct {
	Heard   []Span
	Gaps    []Gap
	Sources []Source
	Events  []Event
	Packets int // of audio
	Dropped int // entries that were too many
}

// Share is the share of a time, 0 to 1, in which a tone was heard. It is measured in
// windows of 50 ms, that begin when a packet arrives, so at both ends it is up to 70 ms
// off. That nobody hears a tone is exactly 0; but a chime or a prompt can pass for a
// tone in single windows, so such a test switches the room's sounds off, or looks when
// nobody comes or goes.
func (t Timeline) Share(tone int, from, to time.Time) float64 {
	if !to.After(from) {
		return 0
	}
	var total time.Duration
	for _, s := range t.Heard {
		if s.Tone == tone {
			total += overlap(s.From, s.To, from, to)
		}
	}
	return min(1, float64(total)/float64(to.Sub(from))) // windows may overlap a little
}

// Silence is how much of a time no audio arrived.
func (t Timeline) Silence(from, to time.Time) (total time.Duration) {
	for _, g := range t.Gaps {
		total += overlap(g.From, g.To, from, to)
	}
	return total
}

func overlap(from, to, begin, end time.Time) time.Duration {
	if begin.After(from) {
		from = begin
	}
	if end.Before(to) {
		to = end
	}
	return max(0, to.Sub(from))
}

// String is the whole timeline, a line for each entry.
func (t Timeline) String() string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	for _, e := range t.Events {
		lines = append(lines, line{e.At, e.What})
	}
	for _, s := range t.Heard {
		lines = append(lines, line{s.From, fmt.Sprintf("hears %d Hz for %v", s.Tone, s.To.Sub(s.From).Round(time.Millisecond))})
	}
	for _, g := range t.Gaps {
		lines = append(lines, line{g.From, fmt.Sprintf("no audio for %v", g.To.Sub(g.From).Round(time.Millisecond))})
	}
	for _, s := range t.Sources {
		lines = append(lines, line{s.At, fmt.Sprintf("audio comes from %v, SSRC %08x", s.From, s.SSRC)})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s  %s\n", l.at.UTC().Format("15:04:05.000"), l.text)
	}
	return b.String()
}
