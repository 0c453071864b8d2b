package baresip

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tone/speech"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

const second = time.Second

// Two telephones hear each other's tone, and not their own.
func TestTwoPhonesTalk(t *testing.T) {
	for name, o := range map[string]Options{
		"PCMU over UDP": {Codecs: []Codec{PCMU}},
		"PCMA over TCP": {Codecs: []Codec{PCMA}, TCP: true},
		"G722":          {Codecs: []Codec{G722}},
		"Opus":          {Codecs: []Codec{Opus}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := bounded(t)
			a, b := tone.Caller(0), tone.Caller(2)
			o.Name, o.Tone = "alice", a
			alice := Start(t, o)
			o.Name, o.Tone, o.Answers = "bob", b, true
			bob := Start(t, o)

			must(t, alice.Call(ctx, "bob", bob.Address()), bob.Answered(ctx))
			must(t, alice.Hears(ctx, b, second), bob.Hears(ctx, a, second))
			must(t, alice.HearsNone(ctx, second, a), bob.HearsNone(ctx, second, b))

			must(t, alice.Mute(ctx, true), bob.HearsNone(ctx, second/2, a))
			must(t, alice.Mute(ctx, false), bob.Hears(ctx, a, second/2))

			must(t, bob.Hangup(ctx))
			if why, err := alice.Closed(ctx); err != nil {
				t.Error(why, err)
			}
			heard, err := alice.Heard()
			must(t, err)
			if level := loudest(heard, b); level < -20.5 || level > -19.5 {
				t.Errorf("a tone of -20 dBFS is heard at %.1f dBFS", level)
			}
			if o.Codecs[0] == G722 && heard.Rate != 16000 {
				t.Errorf("G.722 is recorded at %d Hz", heard.Rate)
			}
			must(t, alice.Stop(ctx), bob.Stop(ctx))
		})
	}
}

// loudest returns the highest level of a tone in any 100 ms: on a busy machine
// some of baresip's frames come late and leave holes.
func loudest(s tone.Sound, frequency float64) float64 {
	top := -120.0
	for _, l := range tone.Levels(s.Samples, s.Rate, 100*time.Millisecond, frequency) {
		top = max(top, l.Tones[0])
	}
	return top
}

// Keys as RFC 4733 events and as INFO, as the other telephone tells them.
func TestDigitsArrive(t *testing.T) {
	for name, info := range map[string]bool{"RFC 4733": false, "INFO": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := bounded(t)
			alice := Start(t, Options{Name: "alice", InfoDigits: info})
			bob := Start(t, Options{Name: "bob", Answers: true})
			must(t, alice.Call(ctx, "bob", bob.Address()))
			must(t, alice.SendDigits(ctx, "1994*#"))
			if got := keys(t, ctx, bob, 6); got != "1994*#" {
				t.Errorf("keys %q arrived", got)
			}
			must(t, alice.Hangup(ctx))
		})
	}
}

// keys returns the next n keys that a phone received.
func keys(t *testing.T, ctx context.Context, p *Phone, n int) string {
	t.Helper()
	var got strings.Builder
	for range n {
		event, err := p.Await(ctx, KeyDown)
		must(t, err)
		got.WriteString(event.Param)
	}
	return got.String()
}

// SIPp calls a telephone: its keys and its tone arrive.
func TestSIPpKeysAndTalksToAPhone(t *testing.T) {
	for name, codec := range map[string]pcap.Codec{"PCMU": pcap.PCMU, "PCMA": pcap.PCMA} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := bounded(t)
			bob := Start(t, Options{Name: "bob", Answers: true})
			stream := pcap.New(codec).Silence(300 * time.Millisecond).Keys("1234#").Sound(tone.Sine(8000, 1010, -20, 4*second))
			caller := sipp.Start(t, sipp.Caller{Target: bob.Address(), Number: "bob", Codec: codec, Steps: []sipp.Step{sipp.Play(stream)}})
			if got := keys(t, ctx, bob, 5); got != "1234#" {
				t.Errorf("keys %q arrived", got)
			}
			must(t, bob.Hears(ctx, 1010, second))
			result, err := caller.Wait(ctx)
			must(t, err)
			if result.Successful != 1 || result.Only().EndedBy != sipp.Here {
				t.Errorf("%v", result)
			}
		})
	}
}

// Only the end packets of a key arrive: it counts (RFC 4733 section 2.5.2).
func TestSIPpLosesTheBeginningOfAKey(t *testing.T) {
	ctx := bounded(t)
	bob := Start(t, Options{Name: "bob", Answers: true})
	stream := pcap.New(pcap.PCMU).Silence(300*time.Millisecond).Event('7', 100*time.Millisecond, true).Silence(second)
	caller := sipp.Start(t, sipp.Caller{Target: bob.Address(), Number: "bob", Steps: []sipp.Step{sipp.Play(stream)}})
	// baresip tells a key that it has not seen begin by its end only.
	_, err := bob.Await(ctx, KeyUp)
	must(t, err)
	result, err := caller.Wait(ctx)
	must(t, err)
	if result.Successful != 1 {
		t.Errorf("%v", result)
	}
}

// A telephone calls SIPp, which sends back what it hears.
func TestPhoneHearsItsEcho(t *testing.T) {
	ctx := bounded(t)
	echo := sipp.Answer(t, sipp.Answerer{Echo: true, End: sipp.AwaitBye})
	alice := Start(t, Options{Name: "alice", Tone: 620})
	must(t, alice.Call(ctx, "echo", echo.Address()), alice.Hears(ctx, 620, second), alice.Hangup(ctx))
}

func TestHoldAndResume(t *testing.T) {
	ctx := bounded(t)
	answerer := sipp.Answer(t, sipp.Answerer{Echo: true, End: sipp.AwaitBye})
	alice := Start(t, Options{Name: "alice", Tone: 620})
	must(t, alice.Call(ctx, "1", answerer.Address()), alice.Hears(ctx, 620, second))
	must(t, alice.Hold(ctx), awaitReinvites(ctx, alice, answerer, 1))
	must(t, alice.Resume(ctx), awaitReinvites(ctx, alice, answerer, 2))
	must(t, alice.Hangup(ctx))
	if log := answerer.Stop().Log(); !strings.Contains(log, "a=sendonly") {
		t.Error("no hold was offered")
	}
}

func awaitReinvites(ctx context.Context, p *Phone, answerer *sipp.Running, n int) error {
	return p.process.Poll(ctx, func() error {
		if r := answerer.Result(); r.Only().Reinvites < n {
			return errNoCall
		}
		return nil
	})
}

// What is said is found in its order: again only when it was said again.
func TestHearsWhatIsSaid(t *testing.T) {
	ctx := bounded(t)
	pause := tone.Silence(8000, second/2)
	first, other := speech.Say(t, 8000, "You are the first participant."), speech.Say(t, 8000, "You are muted.")
	bob := Start(t, Options{Name: "bob", Codecs: []Codec{PCMA}, Answers: true, Speaks: tone.Join(pause, first, pause, other, pause, first)})
	alice := Start(t, Options{Name: "alice", Codecs: []Codec{PCMA}})
	must(t, alice.Call(ctx, "bob", bob.Address()))
	must(t, alice.HearsSaid(ctx, first), alice.HearsSaid(ctx, other), alice.HearsSaid(ctx, first))
	heard, err := alice.Heard()
	must(t, err)
	if least := first.Duration() * 2; heard.Duration() < least {
		t.Errorf("found twice in %v", heard.Duration())
	}
	if had, err := alice.HasHeard(other); err != nil || !had {
		t.Errorf("%v, %v", had, err)
	}
	if had, err := alice.HasHeard(speech.Say(t, 8000, "This conference is full. Goodbye.")); err != nil || had {
		t.Errorf("%v, %v", had, err)
	}
}

func TestDigestOfAPhone(t *testing.T) {
	ctx := bounded(t)
	answerer := sipp.Answer(t, sipp.Answerer{Username: "alice", Password: "secret", End: sipp.AwaitBye})
	alice := Start(t, Options{Name: "5550199", Username: "alice", Password: "secret"})
	must(t, alice.Call(ctx, "1", answerer.Address()), alice.Hangup(ctx))

	mallory := Start(t, Options{Name: "5550199", Username: "alice", Password: "guess"})
	if err := mallory.Call(ctx, "1", answerer.Address()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestRefusalOfAPhone(t *testing.T) {
	ctx := bounded(t)
	answerer := sipp.Answer(t, sipp.Answerer{Status: 404})
	alice := Start(t, Options{Name: "alice"})
	if err := alice.Call(ctx, "1", answerer.Address()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a refused call: %v", err)
	}
}

// The node's BYE, seen by a telephone.
func TestHungUpByTheOther(t *testing.T) {
	ctx := bounded(t)
	answerer := sipp.Answer(t, sipp.Answerer{Steps: []sipp.Step{sipp.Wait(second)}, End: sipp.HangUp})
	alice := Start(t, Options{Name: "alice"})
	must(t, alice.Call(ctx, "1", answerer.Address()))
	_, err := alice.Closed(ctx)
	must(t, err)
	if result := answerer.Stop(); result.Only().EndedBy != sipp.Here {
		t.Errorf("%v", result)
	}
}
