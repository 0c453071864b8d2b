package acceptance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// The demo data of `node dev`.
const (
	number     = "18665552637"
	guestCode  = "123456#"
	hostCode   = "987654#"
	boardGuest = "234567#"
	boardHost  = "876543#"
)

// within bounds a whole test.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startNode is `node dev` as a new user gets it.
func startNode(t *testing.T, ctx context.Context) *node.Node {
	t.Helper()
	n := node.Start(t, node.Options{})
	must(t, n.WaitReady(ctx))
	return n
}

// phone is a telephone that speaks the nth tone.
func phone(t *testing.T, n int, o baresip.Options) *baresip.Phone {
	t.Helper()
	o.Name, o.Tone = fmt.Sprint("caller", n), tone.Caller(n)
	return baresip.Start(t, o)
}

// dialIn calls and keys in a code.
func dialIn(t *testing.T, ctx context.Context, n *node.Node, p *baresip.Phone, code string) {
	t.Helper()
	must(t, p.Call(ctx, number, n.SIP()))
	must(t, p.SendDigits(ctx, code))
}

// joined waits until so many are in conferences.
func joined(t *testing.T, ctx context.Context, n *node.Node, want float64) {
	t.Helper()
	must(t, n.AwaitMetric(ctx, "conclave_participants", nil, func(v float64) bool { return v == want }))
}

// hearsExactly checks that a phone hears these callers' tones and no others'.
func hearsExactly(t *testing.T, ctx context.Context, p *baresip.Phone, all int, want ...int) {
	t.Helper()
	heard := map[int]bool{}
	for _, w := range want {
		heard[w] = true
		if err := p.Hears(ctx, tone.Caller(w), time.Second); err != nil {
			t.Errorf("%s does not hear caller %d: %v", p.Name(), w, err)
		}
	}
	var none []float64
	for i := range all {
		if !heard[i] {
			none = append(none, tone.Caller(i))
		}
	}
	if err := p.HearsNone(ctx, time.Second, none...); err != nil {
		t.Errorf("%s hears what it should not: %v", p.Name(), err)
	}
}

// CA1-CA5, CF1: two callers in a room hear one another and not themselves.
func TestTwoCallers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 90*time.Second)
	n := startNode(t, ctx)
	a, b := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{TCP: true, Codecs: []baresip.Codec{baresip.PCMA}})
	dialIn(t, ctx, n, a, guestCode)
	dialIn(t, ctx, n, b, hostCode)
	joined(t, ctx, n, 2)
	hearsExactly(t, ctx, a, 2, 1)
	hearsExactly(t, ctx, b, 2, 0)
	must(t, a.Hangup(ctx))
	joined(t, ctx, n, 1)
	must(t, b.SendDigits(ctx, "##"))
	if why, err := b.Closed(ctx); err != nil {
		t.Errorf("the node did not hang up: %v %v", why, err)
	}
	joined(t, ctx, n, 0)
	must(t, n.AwaitMetric(ctx, "conclave_rtp_port_pairs_in_use", nil, func(v float64) bool { return v == 0 }))
}

// CF8, CD2: five callers, one of them wideband: each hears exactly the others.
func TestFiveCallers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n := startNode(t, ctx)
	var phones []*baresip.Phone
	for i := range 5 {
		o := baresip.Options{}
		if i == 4 {
			o.Codecs = []baresip.Codec{baresip.G722}
		}
		p := phone(t, i, o)
		dialIn(t, ctx, n, p, guestCode)
		phones = append(phones, p)
	}
	joined(t, ctx, n, 5)
	for i, p := range phones {
		var others []int
		for j := range 5 {
			if j != i {
				others = append(others, j)
			}
		}
		hearsExactly(t, ctx, p, 5, others...)
	}
}

// CF5: guests hear music, and not each other, until the host is in.
func TestModeratedRoom(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	a, b, host := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{}), phone(t, 2, baresip.Options{})
	dialIn(t, ctx, n, a, boardGuest)
	dialIn(t, ctx, n, b, boardGuest)
	joined(t, ctx, n, 2)
	must(t, a.HearsNone(ctx, 3*time.Second, tone.Caller(0), tone.Caller(1)))
	heard, err := a.Heard()
	must(t, err)
	last := heard.Between(heard.Duration()-2*time.Second, heard.Duration())
	if level := tone.RMS(last.Samples); level < -45 {
		t.Errorf("a waiting guest hears silence (%.0f dBFS) and not music", level)
	}
	dialIn(t, ctx, n, host, boardHost)
	joined(t, ctx, n, 3)
	hearsExactly(t, ctx, a, 3, 1, 2)
	hearsExactly(t, ctx, host, 3, 0, 1)
}

// CF6: a guest mutes itself; the host mutes all, and ends the conference.
func TestKeys(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	host, guest := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{InfoDigits: true})
	dialIn(t, ctx, n, host, hostCode)
	dialIn(t, ctx, n, guest, guestCode)
	joined(t, ctx, n, 2)
	must(t, host.Hears(ctx, tone.Caller(1), time.Second))
	must(t, guest.SendDigits(ctx, "*6"))
	must(t, host.HearsNone(ctx, time.Second, tone.Caller(1)))
	must(t, guest.Hears(ctx, tone.Caller(0), time.Second))
	must(t, guest.SendDigits(ctx, "*6"))
	must(t, host.Hears(ctx, tone.Caller(1), time.Second))
	must(t, host.SendDigits(ctx, "*5"))
	must(t, host.HearsNone(ctx, time.Second, tone.Caller(1)))
	must(t, host.SendDigits(ctx, "*5"))
	must(t, host.Hears(ctx, tone.Caller(1), time.Second))
	must(t, host.SendDigits(ctx, "##"))
	for _, p := range []*baresip.Phone{host, guest} {
		if _, err := p.Closed(ctx); err != nil {
			t.Error(err)
		}
	}
}

// CA9: hold takes a caller out of what others hear, and back.
func TestHold(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	a, b := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{})
	dialIn(t, ctx, n, a, guestCode)
	dialIn(t, ctx, n, b, guestCode)
	joined(t, ctx, n, 2)
	must(t, a.Hears(ctx, tone.Caller(1), time.Second))
	must(t, b.Hold(ctx))
	must(t, a.HearsNone(ctx, time.Second, tone.Caller(1)))
	must(t, b.Resume(ctx))
	must(t, a.Hears(ctx, tone.Caller(1), time.Second))
}

// CA4: the code by RFC 4733, by SIP INFO, and as tones in the audio.
func TestCodeInEveryWay(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n := startNode(t, ctx)
	for name, c := range map[string]sipp.Caller{
		"events": {Steps: []sipp.Step{sipp.Play(pcap.New(pcap.PCMU).Silence(time.Second).Keys(guestCode)), sipp.Wait(3 * time.Second)}},
		"info":   {Steps: []sipp.Step{sipp.Wait(500 * time.Millisecond), sipp.Info(guestCode), sipp.Wait(3 * time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Target, c.Number = n.SIP(), number
			call := sipp.Start(t, c)
			joined(t, ctx, n, 1)
			result, err := call.Wait(ctx)
			if err != nil || result.Successful != 1 || result.Only().EndedBy != sipp.Here {
				t.Errorf("%v %v\n%s", err, result, result.Errors)
			}
			joined(t, ctx, n, 0)
		})
	}
}

// CA4: three wrong codes, and silence, end with words and a BYE.
func TestWrongCodes(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n := startNode(t, ctx)
	wrong := pcap.New(pcap.PCMU)
	for range 3 {
		wrong.Silence(2 * time.Second).Keys("1111#")
	}
	call := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, End: sipp.AwaitBye,
		Steps: []sipp.Step{sipp.Play(wrong)}})
	if call.Successful != 1 || call.Only().EndedBy != sipp.There {
		t.Errorf("%v\n%s", call, call.Errors)
	}
}

// CA2: what is not an access number is not found.
func TestUnknownNumber(t *testing.T) {
	ctx := within(t, 60*time.Second)
	n := startNode(t, ctx)
	call := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: "5550000", Expect: 404})
	if call.Successful != 1 {
		t.Errorf("%v\n%s", call, call.Errors)
	}
}

// CA9: an INVITE without SDP, and CANCEL.
func TestLateOfferAndCancel(t *testing.T) {
	t.Parallel()
	ctx := within(t, 60*time.Second)
	n := startNode(t, ctx)
	late := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, LateOffer: true, Steps: []sipp.Step{sipp.Wait(time.Second)}})
	if late.Successful != 1 {
		t.Errorf("late offer: %v\n%s", late, late.Errors)
	}
	gone := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, Cancel: sipp.CancelAtOnce, Load: sipp.Load{Calls: 20}})
	t.Logf("cancelled at once: %v", gone)
	must(t, n.AwaitMetric(ctx, "conclave_calls", nil, func(v float64) bool { return v == 0 }))
	must(t, n.AwaitMetric(ctx, "conclave_dialogs", nil, func(v float64) bool { return v == 0 }))
}
