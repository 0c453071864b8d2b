package caller

import (
	"net/netip"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

const (
	rate       = 8000
	frame      = 20 * time.Millisecond
	samples    = 160                   // of a frame
	window     = 50 * time.Millisecond // in which a tone is heard or not
	windowSize = 400                   // in samples
	// gapFrom is the time without a packet from which on it is a gap. It lets the
	// jitter of a busy machine pass.
	gapFrom    = 100 * time.Millisecond
	maxEntries = 20_000
)

// A tone is heard in a window that has it with at least so much level, and no more
// than so much under everything, as in package tone.
const (
	leastLevel = -50.0 // dBFS
	underAll   = 25.0  // dB
)

// ear turns packets of audio and their times of arrival into a Timeline. It has no
// clock and no lock.
type ear struct {
	tones   []int // that are listened for, in Hz
	heard   Timeline
	open    map[int]int // tone to the place in heard.Heard of the span that goes on
	pending []int16
	began   time.Time // when the first packet of pending came
	last    time.Time // when the last packet came
	source  Source
}

func newEar(tones []int) *ear { return &ear{tones: tones, open: map[int]int{}} }

// take takes a packet.
func (e *ear) take(at time.Time, from netip.AddrPort, ssrc uint32, audio []int16) {
	if from != e.source.From || ssrc != e.source.SSRC {
		e.source = Source{at, from, ssrc}
		add(&e.heard.Sources, e.source, &e.heard.Dropped)
	}
	if !e.last.IsZero() && at.Sub(e.last) >= gapFrom {
		add(&e.heard.Gaps, Gap{e.last.Add(frame), at}, &e.heard.Dropped)
		e.pending = e.pending[:0]
		clear(e.open)
	}
	e.last = at
	e.heard.Packets++
	if len(e.pending) == 0 {
		e.began = at
	}
	e.pending = append(e.pending, audio...)
	for len(e.pending) >= windowSize {
		e.listen(e.pending[:windowSize])
		e.pending = e.pending[:copy(e.pending, e.pending[windowSize:])]
		e.began = e.began.Add(window)
	}
	// A burst that comes late does not put what follows it at the wrong time.
	if len(e.pending) > 0 && e.began.After(at) {
		e.began = at
	}
}

// listen judges a window.
func (e *ear) listen(audio []int16) {
	frequencies := make([]float64, len(e.tones))
	for i, t := range e.tones {
		frequencies[i] = float64(t)
	}
	l := tone.Levels(audio, rate, window, frequencies...)[0]
	for i, t := range e.tones {
		// The quick test first; the one of package tone looks beside the tone as well.
		if l.Tones[i] < leastLevel || l.Tones[i] < l.RMS-underAll || tone.Share(audio, rate, 0, window, float64(t)) < 1 {
			delete(e.open, t)
			continue
		}
		if at, goesOn := e.open[t]; goesOn {
			e.heard.Heard[at].To = e.began.Add(window)
			continue
		}
		if add(&e.heard.Heard, Span{t, e.began, e.began.Add(window)}, &e.heard.Dropped) {
			clear(e.open) // the places have moved: spans that go on begin anew
		}
		e.open[t] = len(e.heard.Heard) - 1
	}
}

// timeline is what was heard until now; a gap that goes on ends now.
func (e *ear) timeline(now time.Time) Timeline {
	t := e.heard
	t.Heard, t.Gaps = slices.Clone(t.Heard), slices.Clone(t.Gaps)
	t.Sources, t.Events = slices.Clone(t.Sources), slices.Clone(t.Events)
	if !e.last.IsZero() && now.Sub(e.last) >= gapFrom {
		t.Gaps = append(t.Gaps, Gap{e.last.Add(frame), now})
	}
	return t
}

// event writes down what happened.
func (e *ear) event(at time.Time, what string) {
	add(&e.heard.Events, Event{at, what}, &e.heard.Dropped)
}

// add appends an entry. When there are too many, the older half goes, and it says so.
func add[T any](list *[]T, entry T, dropped *int) (moved bool) {
	if len(*list) >= maxEntries {
		*dropped += maxEntries / 2
		*list, moved = slices.Delete(*list, 0, maxEntries/2), true
	}
	*list = append(*list, entry)
	return moved
}

// linear decodes µ-law (ITU-T G.711).
func linear(b byte) int16 {
	b = ^b
	magnitude := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}
