package callflow

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// goesDirect waits until the media of the one call of a node goes past it.
func (p *pair) goesDirect(node string) {
	p.Helper()
	n := p.nodes[node]
	p.eventually("the media goes past node "+node, func() bool {
		l := p.leg(node)
		return l != nil && l.past() && l.last.get().Source == l.terms().Addr && n.media.Load().Tickers == 0
	})
}

// CA6: which end is told what, and in which order, from every state to every goal.
func TestNextStep(t *testing.T) {
	here, focus, caller := addr("192.0.2.1:1000"), addr("192.0.2.2:2000"), addr("198.51.100.1:3000")
	media := offeranswer.Media{Format: codec.Format{Name: "PCMU", ClockRate: 8000}, Remote: caller, PacketTime: 20 * time.Millisecond}
	past := termsOf(media)
	through := past.at(addr("192.0.2.1:1002"))
	other := past
	other.Format.Name = "PCMA"
	for _, c := range []struct {
		name     string
		is, want mediaWay
		direct   bool
		step     mediaStep
	}{
		{"in place", mediaWay{here, through}, mediaWay{here, through}, false, inPlace},
		{"past us: the caller first", mediaWay{here, through}, mediaWay{focus, past}, true, tellCaller},
		{"past us: then the focus", mediaWay{focus, through}, mediaWay{focus, past}, true, tellFocus},
		{"past us: done", mediaWay{focus, past}, mediaWay{focus, past}, true, inPlace},
		{"back: the focus first", mediaWay{focus, past}, mediaWay{here, through}, false, tellFocus},
		{"back: then the caller", mediaWay{focus, through}, mediaWay{here, through}, false, tellCaller},
		{"back, before the focus was told", mediaWay{focus, through}, mediaWay{here, through}, false, tellCaller},
		{"home, the focus is lost", mediaWay{focus, mediaTerms{}}, mediaWay{here, mediaTerms{}}, false, tellCaller},
		{"another codec, past us", mediaWay{focus, past}, mediaWay{focus, other}, true, tellFocus},
		{"another codec, relayed", mediaWay{here, through}, mediaWay{here, other.at(through.Addr)}, false, tellFocus},
	} {
		if step := nextStep(c.is, c.want, c.direct); step != c.step {
			t.Errorf("%s: %d, want %d", c.name, step, c.step)
		}
	}
}

func addr(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// talk is a handset that called node a, and a telephone that called b, where their
// conference is.
type talk struct {
	*pair
	ctx  context.Context
	away *handset
	near *baresip.Phone
}

func newTalk(p *pair, change func(*handset), pretended uint16) *talk {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 2*time.Minute)
	p.Cleanup(cancel)
	t := &talk{pair: p, ctx: ctx, away: p.handset(0, pretended)}
	if change != nil {
		change(t.away)
	}
	t.away.call(ctx, 0, "a")
	t.toggles(testCode+"#", func(ctx context.Context) error { return t.forwarded(ctx, "a") })
	t.near = p.dial(ctx, 1, "b", baresip.Options{})
	t.bothHear()
	return t
}

// forwarded waits until the one call of a node is at another.
func (p *pair) forwarded(ctx context.Context, node string) error {
	for tick := time.NewTicker(10 * time.Millisecond); p.leg(node) == nil; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// toggles presses keys until they have had an effect: on a busy machine a tone has holes.
func (t *talk) toggles(keys string, effect func(context.Context) error) {
	t.Helper()
	for {
		t.away.press(keys)
		ctx, cancel := context.WithTimeout(t.ctx, 8*time.Second)
		err := effect(ctx)
		cancel()
		if err == nil {
			return
		}
		t.must(t.ctx.Err())
	}
}

func (t *talk) bothHear() {
	t.Helper()
	t.away.hears(tone.Caller(1), true)
	t.must(t.near.Hears(t.ctx, tone.Caller(0), time.Second))
}

// leave ends the call of the handset, and wants everything given back; it returns the
// record of the stay.
func (t *talk) leave() store.XDR {
	t.Helper()
	_ = t.away.dialog.Hangup(t.ctx, signaling.Reason{})
	t.must(t.near.Hangup(t.ctx))
	t.eventually("both are settled", func() bool { return len(t.xdrs()) == 2 })
	t.nothingLeft()
	list := t.xdrs()
	return list[slices.IndexFunc(list, func(x store.XDR) bool { return x.Caller == "caller0" })]
}

// quality is what a record says of the media.
func (p *pair) quality(x store.XDR) (q Quality) {
	p.Helper()
	p.must(json.Unmarshal(x.Quality, &q))
	return q
}

// mediaSteps are what the trace of the call with a stay says of its media.
func (p *pair) mediaSteps(x store.XDR) string {
	p.Helper()
	var steps []store.CallStep
	p.eventually("the trace is written", func() bool {
		_, all, err := p.store.Call(p.Context(), store.Scope{}, x.CallID)
		p.must(err)
		steps = all
		return slices.ContainsFunc(all, func(s store.CallStep) bool { return s.Step == "end" })
	})
	var told []string
	for _, s := range steps {
		if s.Step == "media" {
			told = append(told, s.Outcome+" "+s.Detail)
		}
	}
	return strings.Join(told, "; ")
}

// CA6, CA4, CA9: past the node that took the call keys by tones count, hold and resume
// and a change of the codec reach the focus, and the record says how the media was.
func TestDirectCall(t *testing.T) {
	t.Parallel()
	k := newTalk(newPair(t, 100*money.Unit, MediaDirect), nil, 0)
	k.goesDirect("a")
	k.bothHear()
	relayed, before := k.nodes["a"].engine.Relayed(), k.leg("a").call.media.Stats().Received

	k.toggles("*6", func(ctx context.Context) error { return k.near.HearsNone(ctx, time.Second, tone.Caller(0)) })
	k.toggles("*6", func(ctx context.Context) error { return k.near.Hears(ctx, tone.Caller(0), time.Second) })
	k.away.hears(tone.Caller(1), true)

	k.away.renegotiate(k.ctx, "PCMU", offeranswer.SendOnly)
	k.eventually("the focus knows of the hold", func() bool { return k.leg("a").terms().Direction == offeranswer.SendOnly })
	k.away.hears(tone.Caller(1), false)
	k.must(k.near.HearsNone(k.ctx, time.Second, tone.Caller(0)))
	k.away.renegotiate(k.ctx, "PCMU", offeranswer.SendRecv)
	k.bothHear()

	k.away.renegotiate(k.ctx, "PCMA", offeranswer.SendRecv)
	k.eventually("the focus knows of the codec", func() bool { return k.leg("a").terms().Format.Name == "PCMA" })
	k.bothHear()

	if n := k.nodes["a"].engine.Relayed() - relayed; n != 0 || !k.leg("a").past() {
		t.Errorf("%d packets were relayed", n)
	}
	x := k.leave()
	if q := k.quality(x); q.Media != "direct" || q.Received < before+100 || x.Cause != store.CauseHangup {
		t.Errorf("%+v, %s", x, x.Quality)
	}
	if steps := k.mediaSteps(x); !strings.HasPrefix(steps, "ok direct to 127.0.0.1:") {
		t.Error(steps)
	}
}

// CA6: what does not go past the node that took the call is relayed by it, and is heard
// all the time: the focus is told nothing that it would have to be told back.
func TestRelayedInstead(t *testing.T) {
	for _, c := range []struct {
		name      string
		change    func(*handset)
		pretended uint16
		media     ForwardMedia
		why       string
	}{
		{"refused", func(h *handset) { h.refuses = 488 }, 0, MediaDirect, "relay the caller does not take it: 488"},
		{"stays", func(h *handset) { h.stubborn = true }, 0, MediaAuto, "relay no RTP arrives at the focus"},
		{"NAT", nil, 9, MediaDirect, "relay the caller's RTP comes from elsewhere than it says: a NAT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(newPair(t, 100*money.Unit, c.media), c.change, c.pretended)
			k.eventually("it is known that it does not go", func() bool { l := k.leg("a"); return l != nil && l.noDirect.Load() })
			k.bothHear()
			if l := k.leg("a"); l.past() {
				t.Errorf("the focus was told %+v", l.terms())
			}
			x := k.leave()
			if steps := k.mediaSteps(x); steps != c.why && !strings.HasPrefix(steps, c.why+" ") {
				t.Error(steps)
			}
			if q := k.quality(x); q.Media != "relay" || q.Received < 100 {
				t.Errorf("%s", x.Quality)
			}
		})
	}
}

// CA9, RFC 3261 section 14.1: a caller that has an offer of its own under way is asked
// again.
func TestGlareOnTheWay(t *testing.T) {
	t.Parallel()
	k := newTalk(newPair(t, 100*money.Unit, MediaDirect), func(h *handset) { h.refuses = 491 }, 0)
	k.eventually("the caller is asked", func() bool {
		k.away.mu.Lock()
		defer k.away.mu.Unlock()
		return k.away.offers > 0
	})
	k.away.set(func() { k.away.refuses = 0 })
	k.goesDirect("a")
	k.bothHear()
	k.leave()
}

// CA6, CA9: relayed, too, a change of the codec reaches the focus.
func TestRelayedCodecChange(t *testing.T) {
	t.Parallel()
	k := newTalk(newPair(t, 100*money.Unit), nil, 0)
	k.away.renegotiate(k.ctx, "PCMA", offeranswer.SendRecv)
	k.eventually("the focus knows of the codec", func() bool { return k.leg("a").terms().Format.Name == "PCMA" })
	k.bothHear()
	k.leave()
}

// CA7: a caller whose RTP stops is released by who would hear it, and is told so.
func TestDirectCallerFallsSilent(t *testing.T) {
	t.Parallel()
	p := newPair(t, 100*money.Unit, MediaDirect)
	k := newTalk(p, nil, 0)
	k.goesDirect("a")
	k.away.set(func() { k.away.says = 0 })
	select {
	case <-k.away.ended:
	case <-k.ctx.Done():
		t.Fatal("never released")
	}
	if x := k.leave(); x.Cause != store.CauseMediaTimeout {
		t.Errorf("%+v", x)
	}
}

// MS8, CA6: the node of the conference answers no more. Its caller is at this node again,
// hears so, and comes back; then its media goes past this node as before.
func TestDirectFocusIsLost(t *testing.T) {
	t.Parallel()
	p := newPair(t, 100*money.Unit, MediaDirect)
	k := newTalk(p, nil, 0)
	k.goesDirect("a")
	leg := k.leg("a")
	k.must(k.near.Mute(k.ctx, true)) // for the words to be all that there is to hear
	p.deaf.Store(true)
	k.eventually("the loss is noticed", func() bool { return k.leg("a") != leg })
	lost := k.away.newest(time.Hour).Duration()
	p.deaf.Store(false)
	k.away.hearsWords(lost)
	k.must(k.near.Mute(k.ctx, false))
	k.bothHear()
	k.goesDirect("a")
	k.bothHear()
	if x := k.leave(); x.Cause != store.CauseHangup {
		t.Errorf("%+v", x)
	}
}

// MS8, CA8: a caller who is called home from a lost node, and refuses, is let go: nobody
// would hear it.
func TestDirectCallerDoesNotComeHome(t *testing.T) {
	t.Parallel()
	p := newPair(t, 100*money.Unit, MediaDirect)
	k := newTalk(p, nil, 0)
	k.goesDirect("a")
	k.away.set(func() { k.away.refuses = 488 })
	p.deaf.Store(true)
	select {
	case <-k.away.ended:
	case <-k.ctx.Done():
		t.Fatal("never released")
	}
	p.deaf.Store(false)
	if x := k.leave(); x.Cause != store.CauseMediaTimeout {
		t.Errorf("%+v", x)
	}
}

// MS10: the focus lets a caller go whose ingress is dead, and not while it may be taken
// over, or while there is any sign of life.
func TestIngressIsGone(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var w ingressWatch
	for _, c := range []struct {
		at, asked int // seconds
		alive     bool
		gone      bool
	}{
		{0, 0, true, false}, {20, 0, true, false}, // alive, and asks nothing
		{21, 0, false, false}, {30, 0, false, false}, {31, 0, true, false}, // dead for a moment
		{32, 0, false, false}, {47, 0, false, false}, {48, 40, false, false}, // dead, says gossip, and it asks
		{55, 40, false, false}, {56, 40, false, true},
	} {
		at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
		if gone := w.gone(at(c.at), c.alive, at(c.asked)); gone != c.gone {
			t.Errorf("after %d s: %v, want %v", c.at, gone, c.gone)
		}
	}
}

// CA8, CF9: one who is put out of a conference hears why, at the node that took the call.
func TestDirectCallerHearsTheFarewell(t *testing.T) {
	t.Parallel()
	k := newTalk(newPair(t, 100*money.Unit, MediaDirect), nil, 0)
	k.goesDirect("a")
	k.must(k.nodes["b"].host.Conferences()[0].Eject(k.leg("a").participant, conference.By{API: "test"}))
	k.away.hearsSaid(promptSound(t, prompt.Ejected))
	<-k.away.ended
	if x := k.leave(); x.Cause != store.CauseEjected {
		t.Errorf("%+v", x)
	}
}

func promptSound(t *testing.T, id prompt.ID) tone.Sound {
	t.Helper()
	library, err := prompt.Load()
	if err != nil {
		t.Fatal(err)
	}
	clip := library.Clip(prompt.DefaultLanguage, id, prompt.Narrowband)
	return tone.Sound{Rate: clip.Rate, Samples: clip.PCM}
}

// MS10: where the media of a call goes can be written down for another node.
func TestWayEncodes(t *testing.T) {
	way := mediaWay{addr("192.0.2.1:1000"), termsOf(offeranswer.Media{Format: codec.Format{Name: "G722", ClockRate: 8000, PayloadType: 9}, DTMF: 101,
		Remote: addr("[2001:db8::1]:3000"), RemoteRTCP: addr("[2001:db8::1]:3001"), PacketTime: 20 * time.Millisecond, Direction: offeranswer.RecvOnly})}
	text, err := json.Marshal(way)
	if err != nil {
		t.Fatal(err)
	}
	var got mediaWay
	if err := json.Unmarshal(text, &got); err != nil || got != way || got.Focus.Direction != offeranswer.SendOnly {
		t.Errorf("%s: %+v, %v", text, got, err)
	}
}
