package labcommands

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
)

// MS15: a caller says what begins and what ends, once.
func TestListener(t *testing.T) {
	p := plan()
	p.Sites[0].Nodes[0].Address = netip.MustParseAddr("10.1.0.1")
	at, elsewhere := netip.MustParseAddrPort("10.1.0.1:20000"), netip.MustParseAddrPort("192.0.2.1:20000")
	l := newListener(p)
	for i, step := range []struct {
		status lab.CallStatus
		news   []string
	}{
		{lab.CallStatus{Media: at}, []string{"answered; its audio goes to a-1"}},
		{lab.CallStatus{Media: at}, nil},
		{lab.CallStatus{Media: at, Hears: []int{420, 700}}, []string{"hears 420 Hz", "hears 700 Hz"}},
		{lab.CallStatus{Media: at, Hears: []int{700}}, []string{"does not hear 420 Hz any more"}},
		{lab.CallStatus{Media: at, Hears: []int{700}, Silent: 300 * time.Millisecond}, nil},
		{lab.CallStatus{Media: at, Silent: 600 * time.Millisecond}, []string{"does not hear 700 Hz any more", "has no audio at all"}},
		{lab.CallStatus{Media: at, Silent: 2100 * time.Millisecond}, nil},
		{lab.CallStatus{Media: elsewhere, Hears: []int{700}}, []string{"its audio goes to 192.0.2.1:20000, which is at no node", "hears 700 Hz", "has audio again, after some 2.1s"}},
	} {
		if news := l.take(step.status); !slices.Equal(news, step.news) {
			t.Errorf("look %d: %q, want %q", i, news, step.news)
		}
	}
}

func TestSummary(t *testing.T) {
	zero := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }
	var b strings.Builder
	summarize(&b, lab.CallReport{Ended: "hung up", Timeline: caller.Timeline{
		Heard: []caller.Span{
			{Tone: 420, From: at(0), To: at(4000)}, {Tone: 1010, From: at(100), To: at(150)}, // a prompt
			{Tone: 420, From: at(4050), To: at(5000)}, {Tone: 420, From: at(7500), To: at(9000)},
			{Tone: 700, From: at(1000), To: at(9000)},
		},
		Gaps: []caller.Gap{{From: at(10), To: at(120)}, {From: at(5000), To: at(7500)}},
	}})
	want := `The call has ended: hung up.
It heard 420 Hz for 6.5s, from 12:00:00.0 to 12:00:09.0; breaks: one, of 2.5s at 12:00:05.0.
It heard 700 Hz for 8.0s, from 12:00:01.0 to 12:00:09.0; breaks: none.
Times without any audio: one, of 2.5s at 12:00:05.0.
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if summarize(&b, lab.CallReport{Ended: "BYE"}); b.String() != "The call has ended: BYE.\nIt heard no tone.\nTimes without any audio: none.\n" {
		t.Error(b.String())
	}
}

// Callers get tones that can be told apart.
func TestTones(t *testing.T) {
	var calls []lab.CallStatus
	for range 100 {
		hz := freeTone(calls)
		if hz == 0 {
			break
		}
		if err := checkTone(hz, calls); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, lab.CallStatus{Tone: hz})
	}
	if len(calls) < 9 || len(calls) == 100 {
		t.Errorf("%d tones", len(calls))
	}
	one := []lab.CallStatus{{From: "a-420", Tone: 420}, {From: "silent"}}
	for hz, why := range map[int]string{420: "another caller, a-420, speaks 420 Hz", 500: "take 620", 299: "300 to 3400", 3401: "300 to 3400", -1: "300 to 3400"} {
		if err := checkTone(hz, one); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%d Hz: %v", hz, err)
		}
	}
	if checkTone(0, one) != nil || checkTone(700, one) != nil {
		t.Error("silence and a tone that is free are refused")
	}
}
