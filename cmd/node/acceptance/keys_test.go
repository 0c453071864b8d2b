package acceptance

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// hearsAt waits until a phone hears a caller's tone at a level, in dBFS.
func hearsAt(t *testing.T, ctx context.Context, p *baresip.Phone, frequency, level float64) {
	t.Helper()
	const span = time.Second
	await(t, ctx, p.Name()+" hears the tone at its level", func() ([]float64, bool) {
		heard, err := p.Heard()
		must(t, err)
		last := heard.Between(heard.Duration()-span, heard.Duration())
		var levels []float64
		for _, l := range tone.Levels(last.Samples, last.Rate, 100*time.Millisecond, frequency) {
			levels = append(levels, l.Tones[0])
			if math.Abs(l.Tones[0]-level) > 1.5 {
				return levels, false
			}
		}
		return levels, len(levels) > 0
	})
}

// CF6: what callers turn louder and softer, for themselves and for the others.
func TestVolumeKeys(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	listener, talker := silent(t, "listener"), phone(t, 1, baresip.Options{InfoDigits: true})
	other := silent(t, "other")
	for _, p := range []*baresip.Phone{listener, talker, other} {
		dialIn(t, ctx, n, p, guestCode)
	}
	joined(t, ctx, n, 3)
	hearsAt(t, ctx, listener, tone.Caller(1), -20)
	must(t, listener.SendDigits(ctx, "*1*1"))
	hearsAt(t, ctx, listener, tone.Caller(1), -14)
	must(t, talker.SendDigits(ctx, "*8*8*8"))
	hearsAt(t, ctx, listener, tone.Caller(1), -23)
	hearsAt(t, ctx, other, tone.Caller(1), -29)
	must(t, talker.SendDigits(ctx, "*9*9*9*9"))
	must(t, listener.SendDigits(ctx, "*4*4*4"))
	hearsAt(t, ctx, listener, tone.Caller(1), -20)
	hearsAt(t, ctx, other, tone.Caller(1), -17)
}

// CF6: the count, the hand, the list of keys and the moderator's keys; a key without
// a meaning is said to have none, and so is a moderator's key to a guest; neither
// does anything else.
func TestSpokenKeys(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	host, guest, last := silent(t, "host"), silent(t, "guest"), phone(t, 1, baresip.Options{InfoDigits: true})
	dialIn(t, ctx, n, host, hostCode)
	dialIn(t, ctx, n, guest, guestCode)
	dialIn(t, ctx, n, last, guestCode)
	joined(t, ctx, n, 3)
	for _, key := range []struct {
		by   *baresip.Phone
		keys string
		says []prompt.ID
	}{
		{host, "*2", []prompt.ID{prompt.ThereAre, prompt.Number3, prompt.ParticipantsIn}},
		{guest, "*7", []prompt.ID{prompt.UnknownKey}}, // the moderator's
		{last, "**", []prompt.ID{prompt.UnknownKey}},
		{guest, "*3", []prompt.ID{prompt.HandRaised}},
		{guest, "*3", []prompt.ID{prompt.HandLowered}},
		{host, "*5", []prompt.ID{prompt.AllMuted}},
		{last, "*6", []prompt.ID{prompt.MutedByModerator}},
		{host, "*5", []prompt.ID{prompt.AllUnmuted}},
		{last, "*6", []prompt.ID{prompt.Muted}},
		{last, "*6", []prompt.ID{prompt.Unmuted}},
		{host, "*0", []prompt.ID{prompt.KeyMuteSelf, prompt.Star, prompt.Number6}},
		{host, "*2", []prompt.ID{prompt.ThereAre, prompt.Number3, prompt.ParticipantsIn}}, // the list gives way
	} {
		must(t, key.by.SendDigits(ctx, key.keys))
		w.hears(ctx, key.by, key.says...)
	}
	must(t, guest.SendDigits(ctx, "1")) // a lone digit is nothing, not even unknown
	must(t, guest.Hears(ctx, tone.Caller(1), time.Second))
	w.heard(host, false, prompt.UnknownKey, prompt.Locked, prompt.KeyEnd)
	w.heard(guest, false, prompt.Muted, prompt.Locked, prompt.KeyLock)

	must(t, host.SendDigits(ctx, "*#"))
	closedByNode(t, ctx, last)
	w.heard(last, true, prompt.Ejected)
	joined(t, ctx, n, 2)
	must(t, host.SendDigits(ctx, "##"))
	for _, p := range []*baresip.Phone{host, guest} {
		closedByNode(t, ctx, p)
		w.heard(p, true, prompt.ConferenceEnded)
	}
	joined(t, ctx, n, 0)
	for from, cause := range map[string]store.ReleaseCause{"caller1": store.CauseEjected, "guest": store.CauseEnded, "host": store.CauseEnded} {
		call, steps := trace(t, ctx, n, from)
		if call.Cause != cause || !hasStep(steps, "settle", "ok") {
			t.Errorf("%s: %+v\n%+v", from, call, steps)
		}
	}
}
