package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/wiretap"
)

// CA6, MS2: callers at three nodes hear one another, whichever way their media goes: past
// the nodes that took their calls, whose ports are then still, or through them; through
// them, too, where a telephone refuses to be sent elsewhere.
func TestWaysOfMedia(t *testing.T) {
	for _, c := range []struct {
		media         string
		inside, other string // the way inside the conference's site, and from the other site
	}{
		{"auto", "direct", "relayed"},
		{"direct", "direct", "direct"},
		{"relay", "relayed", "relayed"},
	} {
		t.Run(c.media, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, 180*time.Second)
			tap := wiretap.Start(t)
			k := startClusterWith(t, ctx, flags{"--forward-media", c.media}, []string{"a1", "a2"}, []string{"b1"})
			far := k.call(0, "b1")
			first := await(t, ctx, "the conference is open", func() (conference, bool) {
				list := k.open("b1")
				return append(list, conference{})[0], len(list) == 1
			})
			inside := map[string]string{"a1": "a2", "a2": "a1"}[first.Focus.Node]
			near, there := k.call(1, inside), k.call(2, first.Focus.Node)
			phones := []*baresip.Phone{far, near, there}
			ways := map[string]string{inside: c.inside, "b1": c.other}
			for at, way := range ways {
				k.goesBy(at, way)
			}
			for at, way := range ways {
				from, to := k.nodes[at].RTP()
				before := tap.Arrived(from, to)
				k.allHearAnew(phones)
				if n := tap.Arrived(from, to) - before; (n == 0) != (way == "direct") {
					t.Errorf("media of %s is %s, and %d packets arrived there while all heard one another", at, way, n)
				}
			}
			if c.media == "auto" {
				k.refusing(inside, there)
			}
			must(t, near.SendDigits(ctx, "*6"))
			must(t, far.HearsNone(ctx, time.Second, tone.Caller(1)))
			for _, p := range phones {
				must(t, p.Hangup(ctx))
			}
		})
	}
}

// goesBy waits until the media of a node's one forwarded call goes one way, for good.
func (c *cluster) goesBy(at, way string) {
	c.Helper()
	mixers := map[string]float64{"direct": 0, "relayed": 1}[way]
	must(c.T, c.nodes[at].AwaitMetric(c.ctx, "conclave_forwarded_calls_"+way, nil, func(v float64) bool { return v == 1 }))
	must(c.T, c.nodes[at].AwaitMetric(c.ctx, "conclave_media_mixers", nil, func(v float64) bool { return v == mixers }))
}

// allHearAnew waits until all have heard all others for a second that begins now.
func (c *cluster) allHearAnew(phones []*baresip.Phone) {
	c.Helper()
	for _, p := range phones {
		before, err := p.Heard()
		must(c.T, err)
		await(c.T, c.ctx, p.Name()+" has heard more", func() (time.Duration, bool) {
			now, err := p.Heard()
			must(c.T, err)
			return now.Duration(), now.Duration() > before.Duration()+1100*time.Millisecond
		})
	}
	for i, p := range phones {
		for j := range phones {
			if j != i {
				must(c.T, p.Hears(c.ctx, tone.Caller(j), time.Second))
			}
		}
	}
}

// refusing lets a telephone call that refuses re-INVITEs: it is heard all the same.
func (c *cluster) refusing(at string, listener *baresip.Phone) {
	c.Helper()
	const n = 3
	speech := pcap.New(pcap.PCMU).Silence(time.Second).Keys(operatorCode + "#").Sound(tone.Sine(8000, tone.Caller(n), -20, 12*time.Second))
	caller := sipp.Start(c.T, sipp.Caller{Target: c.nodes[at].SIP(), Number: operatorNumber, RefuseReinvites: 488, Steps: []sipp.Step{sipp.Play(speech)}})
	await(c.T, c.ctx, "the telephone is asked", func() (int, bool) { n := caller.Result().Only().Reinvites; return n, n > 0 })
	must(c.T, listener.Hears(c.ctx, tone.Caller(n), 2*time.Second))
	must(c.T, c.nodes[at].AwaitMetric(c.ctx, "conclave_forwarded_calls_relayed", nil, func(v float64) bool { return v == 1 }))
	result, err := caller.Wait(c.ctx)
	must(c.T, err)
	if result.Successful != 1 || !slices.Equal(result.Only().Statuses, []int{200}) || result.Only().EndedBy != sipp.Here {
		c.Errorf("%v", result)
	}
}
