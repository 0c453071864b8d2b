package playout

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec/g711"
	"github.com/conclave-voice/conclave/media/quality"
)

// CF14, CD3: what was heard, lost or too late, in the order of sequence numbers.
func TestLosses(t *testing.T) {
	numbers := func(late map[uint16]bool, list ...uint16) quality.Counts {
		var s sequence
		for _, n := range list {
			extended, what := s.take(n)
			if what == fresh && late[n] {
				s.tooLate(extended)
			}
		}
		s.forget() // judges the rest
		return s.losses.Counts()
	}
	run := func(from, to int) (list []uint16) {
		for n := from; n <= to; n++ {
			list = append(list, uint16(n))
		}
		return list
	}
	for _, c := range []struct {
		name string
		got  quality.Counts
		want quality.Counts
	}{
		{"whole", numbers(nil, run(65500, 65635)...), quality.Counts{Heard: 136}},
		{"one lost", numbers(nil, append(run(1, 50), run(52, 100)...)...), quality.Counts{Heard: 99, Lost: 1, Strings: 1}},
		{"reordered", numbers(nil, append(run(1, 50), append([]uint16{52, 51}, run(53, 100)...)...)...), quality.Counts{Heard: 100}},
		{"late", numbers(map[uint16]bool{50: true}, append(run(1, 49), append(run(51, 60), append([]uint16{50}, run(61, 100)...)...)...)...), quality.Counts{Heard: 99, Late: 1, Strings: 1}},
		{"twice", numbers(nil, append(run(1, 50), run(45, 100)...)...), quality.Counts{Heard: 100}},
		{"200 lost", numbers(nil, append(run(1, 50), run(251, 300)...)...), quality.Counts{Heard: 100, Lost: 200, Strings: 1}},
		{"the sender began anew", numbers(nil, append(run(1, 50), run(20001, 20050)...)...), quality.Counts{Heard: 99}},
		{"one", numbers(nil, 9), quality.Counts{Heard: 1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
}

// CF14: what is passed on is counted, with its jitter, and not played.
func TestPass(t *testing.T) {
	b := New(Config{Decoder: g711.MuLaw()})
	at := time.Duration(0)
	for n := range 200 {
		at += Frame
		arrival := at
		if n%2 == 1 {
			arrival += 8 * time.Millisecond
		}
		if n != 100 {
			b.Pass(uint16(n), uint32(n*160), arrival)
		}
	}
	losses := b.Losses()
	if st, c := b.Stats(), losses.Counts(); st.Received != 199 || st.Lost != 1 || st.Jitter < 6*time.Millisecond || st.Jitter > 9*time.Millisecond ||
		c.Lost != 1 || c.Heard < 160 || st.Packet != Frame {
		t.Errorf("%+v, %+v", st, c)
	}
	if report := b.Report(); report.TotalLost != 1 {
		t.Errorf("%+v", report)
	}
}
