package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// CA4, CA8: a caller who keys nothing is asked three times, told why, and released.
func TestSilentCaller(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	p := silent(t, "silent")
	must(t, p.Call(ctx, number, n.SIP()))
	closedByNode(t, ctx, p)
	heard, err := p.Heard()
	must(t, err)
	for _, id := range []prompt.ID{prompt.Welcome, prompt.EnterCode, prompt.EnterCode, prompt.EnterCode, prompt.NoInput} {
		said := w.sound(id)
		at, likeness := tone.Find(heard.Between(0, said.Duration()+13*time.Second), said)
		if likeness < tone.Alike {
			t.Fatalf("%q is not heard in its place; best at %v, %.2f alike", id, at, likeness)
		}
		heard = heard.Between(at+said.Duration(), heard.Duration())
	}
	call, steps := trace(t, ctx, n, "silent")
	if call.Cause != store.CauseNoInput || call.SIPStatus != 200 || !hasStep(steps, "release", string(store.CauseNoInput)) {
		t.Errorf("%+v\n%+v", call, steps)
	}
}

// CA4, CD3: a telephone without telephone events keys its code, and then mutes
// itself, by tones in its audio; one that has events keys by those, with or without
// the tones in its audio as well. The others hear what it says and none of its keys.
func TestKeysAreNotHeard(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	addRoom(t, ctx, n, "Quiet", "555111", "555222", "--entry-sound", "none", "--exit-sound", "none", "--music=false")
	listener := silent(t, "listener")
	dialIn(t, ctx, n, listener, "555111#")
	w.hears(ctx, listener, prompt.FirstIn)
	for _, c := range []struct {
		name     string
		noEvents bool
		key      func(s *pcap.Stream, keys string)
	}{
		{"tones", true, asTones},
		{"events", false, func(s *pcap.Stream, keys string) { s.Keys(keys) }},
		{"events, and tones too", false, asBoth},
	} {
		must(t, listener.HearsNone(ctx, time.Second, tone.Caller(1)))
		before, err := listener.Heard()
		must(t, err)
		speech := pcap.New(pcap.PCMU).Silence(time.Second)
		c.key(speech, "555111#")
		talk := tone.Sine(8000, tone.Caller(1), -20, 1500*time.Millisecond)
		speech.Silence(time.Second).Sound(talk)
		c.key(speech, "*6") // muted
		speech.Silence(200 * time.Millisecond).Sound(talk)
		c.key(speech, "*6") // and back
		speech.Silence(200 * time.Millisecond).Sound(talk).Silence(time.Second)
		result := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, NoEvents: c.noEvents, Steps: []sipp.Step{sipp.Play(speech)}})
		if result.Successful != 1 {
			t.Fatalf("%s: %v\n%s", c.name, result, result.Errors)
		}
		joined(t, ctx, n, 1)
		after, err := listener.Heard()
		must(t, err)
		heard := after.Between(before.Duration(), after.Duration())
		if talked := spoken(heard); (talked - 3*time.Second).Abs() > 500*time.Millisecond {
			t.Errorf("%s: heard for %v of 3 s, and of 1.5 s that were muted", c.name, talked)
		}
		if leaked := leakedKeys(heard); leaked > 0 {
			t.Errorf("%s: the listener hears %v of keys", c.name, leaked)
		}
	}
}

func asTones(s *pcap.Stream, keys string) {
	s.Sound(tone.Keys(8000, keys, -13, 100*time.Millisecond, 100*time.Millisecond))
}

// asBoth keys by events, and sends the tone in the audio until the first of them, as
// gateways do that take a moment to recognize it.
func asBoth(s *pcap.Stream, keys string) {
	for _, key := range keys {
		s.Sound(tone.Keys(8000, string(key), -13, 60*time.Millisecond, 0))
		s.Keys(string(key))
	}
}

// spoken is for how long the tone of caller 1 is heard.
func spoken(s tone.Sound) time.Duration {
	share := tone.Share(s.Samples, s.Rate, 0, s.Duration(), tone.Caller(1))
	return time.Duration(share * float64(s.Duration()))
}

// leakedKeys is for how long both tones of some key are heard, if only at -45 dBFS.
func leakedKeys(s tone.Sound) (d time.Duration) {
	const window, rows = 20 * time.Millisecond, 4
	for _, l := range tone.Levels(s.Samples, s.Rate, window, 697, 770, 852, 941, 1209, 1336, 1477, 1633) {
		if slices.Max(l.Tones[:rows]) > -45 && slices.Max(l.Tones[rows:]) > -45 {
			d += window
		}
	}
	return d
}
