package acceptance

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// CF8: a listen-only guest is told so, hears the moderator, and is never heard,
// whatever it keys.
func TestListenOnly(t *testing.T) {
	t.Parallel()
	ctx := within(t, 90*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	addRoom(t, ctx, n, "Lecture", "555111", "555222", "--guest-role", "listen-only")
	host, guest := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{})
	dialIn(t, ctx, n, host, "555222#")
	dialIn(t, ctx, n, guest, "555111#")
	w.hears(ctx, guest, prompt.ListenOnly)
	must(t, guest.Hears(ctx, tone.Caller(0), time.Second))
	must(t, guest.SendDigits(ctx, "*6*6*9"))
	w.hears(ctx, guest, prompt.Unmuted)
	heard, err := host.Heard()
	must(t, err)
	if share := tone.Share(heard.Samples, heard.Rate, 0, heard.Duration(), tone.Caller(1)); share > 0 {
		t.Errorf("the moderator has heard a listen-only guest for %.1f %% of the time", 100*share)
	}
}

// CF8, CA9: a telephone that plays music to whom it holds plays it to nobody in the
// room; after that it is heard again.
func TestHoldMusicIsNotHeard(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	listener, holder := phone(t, 0, baresip.Options{}), phone(t, 2, baresip.Options{})
	dialIn(t, ctx, n, listener, guestCode)
	joined(t, ctx, n, 1)
	const music = 30 * time.Second
	exchange := sipp.Start(t, sipp.Caller{Target: n.SIP(), Number: number, Steps: []sipp.Step{
		sipp.Info(guestCode), sipp.Begin(pcap.New(pcap.PCMU).Sound(tone.Sine(8000, tone.Caller(1), -20, music))),
		sipp.Wait(5 * time.Second), sipp.Hold(), sipp.Wait(8 * time.Second), sipp.Resume(), sipp.Wait(60 * time.Second)}})
	must(t, listener.Hears(ctx, tone.Caller(1), time.Second))
	must(t, listener.HearsNone(ctx, 3*time.Second, tone.Caller(1))) // while the music plays
	must(t, listener.Hears(ctx, tone.Caller(1), time.Second))
	must(t, exchange.HangUp())
	if result, err := exchange.Wait(ctx); err != nil || result.Successful != 1 {
		t.Errorf("%v %v", err, result)
	}

	dialIn(t, ctx, n, holder, guestCode)
	joined(t, ctx, n, 2)
	must(t, listener.Hears(ctx, tone.Caller(2), time.Second))
	must(t, holder.Hold(ctx))
	must(t, listener.HearsNone(ctx, time.Second, tone.Caller(2)))
	must(t, holder.Resume(ctx))
	must(t, listener.Hears(ctx, tone.Caller(2), time.Second))
}
