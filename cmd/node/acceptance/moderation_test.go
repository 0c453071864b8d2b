package acceptance

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// CF5: guests are told that they wait, and that the moderator has come. When the last
// moderator leaves they are told; one who comes back within the grace time keeps the
// conference, else it ends, announced.
func TestLastModeratorLeaves(t *testing.T) {
	t.Parallel()
	const grace = 8 * time.Second
	ctx := within(t, 150*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	addRoom(t, ctx, n, "Class", "555111", "555222", "--moderated", "--end-grace", "8")
	guest, host, substitute := silent(t, "guest"), silent(t, "host"), silent(t, "substitute")
	dialIn(t, ctx, n, guest, "555111#")
	w.hears(ctx, guest, prompt.WaitingModerator)
	dialIn(t, ctx, n, host, "555222#")
	w.hears(ctx, guest, prompt.ModeratorArrived)

	must(t, host.Hangup(ctx))
	left := time.Now()
	w.hears(ctx, guest, prompt.ModeratorLeft)
	dialIn(t, ctx, n, substitute, "555222#")
	awaitEvents(t, ctx, n, "end-scheduled", "end-cancelled")
	joined(t, ctx, n, 2)
	// It goes on, heard by the guest, for longer than the grace time.
	w.hears(ctx, guest, prompt.ModeratorArrived)
	await(t, ctx, "the grace time has passed", func() (time.Duration, bool) {
		past := time.Since(left)
		return past, past > grace+2*time.Second
	})
	joined(t, ctx, n, 2)

	must(t, substitute.Hangup(ctx))
	left = time.Now()
	closedByNode(t, ctx, guest)
	if lasted := time.Since(left); lasted < grace {
		t.Errorf("it ended %v after the last moderator had left, the grace time is %v", lasted, grace)
	}
	w.hears(ctx, guest, prompt.ModeratorLeft)
	w.hears(ctx, guest, prompt.ConferenceEnded)
	joined(t, ctx, n, 0)
	call, steps := trace(t, ctx, n, "guest")
	if call.Cause != store.CauseEnded || !hasStep(steps, "settle", "ok") {
		t.Errorf("%+v\n%+v", call, steps)
	}
	awaitEvents(t, ctx, n, "started", "joined", "opened", "end-scheduled", "end-cancelled", "end-scheduled", "ended")
}

// CF5, CA7: a moderator who vanishes has not left: the guests are told and go on
// talking, and the stay is settled.
func TestModeratorVanishes(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n, w := startRun(t, ctx, "--media-timeout", "3s"), loadWords(t)
	addRoom(t, ctx, n, "Class", "555111", "555222", "--moderated")
	guest, other, host := silent(t, "guest"), phone(t, 1, baresip.Options{}), silent(t, "host")
	dialIn(t, ctx, n, guest, "555111#")
	dialIn(t, ctx, n, other, "555111#")
	dialIn(t, ctx, n, host, "555222#")
	joined(t, ctx, n, 3)
	must(t, guest.Hears(ctx, tone.Caller(1), time.Second))
	host.Kill()
	w.hears(ctx, guest, prompt.ModeratorLost)
	joined(t, ctx, n, 2)
	must(t, guest.Hears(ctx, tone.Caller(1), time.Second))
	call, steps := trace(t, ctx, n, "host")
	if call.Cause != store.CauseMediaTimeout || !hasStep(steps, "settle", "ok") {
		t.Errorf("%+v\n%+v", call, steps)
	}
}

// awaitEvents waits until the history of the only conference has events of these
// kinds in this order, with others between.
func awaitEvents(t *testing.T, ctx context.Context, n *node.Node, kinds ...string) {
	t.Helper()
	s := openStore(t, ctx, n)
	await(t, ctx, "the history", func() (had []string, ok bool) {
		all, err := s.ListConferences(ctx, store.Scope{}, "", true, store.Page{})
		must(t, err)
		if len(all) != 1 {
			return nil, false
		}
		events, err := s.ConferenceEvents(ctx, store.Scope{}, all[0].ID, time.Time{})
		must(t, err)
		for _, e := range events {
			had = append(had, e.Kind)
		}
		rest := had
		for _, kind := range kinds {
			at := slices.Index(rest, kind)
			if at < 0 {
				return had, false
			}
			rest = rest[at+1:]
		}
		return had, true
	})
}
