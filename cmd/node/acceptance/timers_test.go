package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// CA9, CA7 (RFC 4028), all with the shortest session that there may be, of 90 s, which
// the node lets go 30 s early: a session that either side refreshes outlasts that; one
// that nobody does is released, and so is a caller that vanishes, though no time-out
// of its media tells of it; their stays are settled.
func TestSessionTimers(t *testing.T) {
	t.Parallel()
	const session, early, beyond = 90 * time.Second, 60 * time.Second, 70 * time.Second
	ctx := within(t, 170*time.Second)
	n := startRun(t, ctx, "--media-timeout", "0")
	addRoom(t, ctx, n, "Room", "555111", "555222")
	begin := func(from, refresher string, end sipp.End, steps ...sipp.Step) *sipp.Running {
		return sipp.Start(t, sipp.Caller{Target: n.SIP(), Number: number, From: from, End: end, Patience: 2 * session,
			Headers: []string{sipp.SessionExpires(session, refresher)}, Steps: append([]sipp.Step{sipp.Info("555111#")}, steps...)})
	}
	refreshed := begin("refreshed", "uas", sipp.HangUp, sipp.Wait(beyond))
	refreshes := begin("refreshes", "uac", sipp.HangUp, sipp.Wait(beyond/2), sipp.Refresh(session), sipp.Wait(beyond/2))
	silent := begin("silent", "uac", sipp.AwaitBye)
	vanishes := begin("vanishes", "uas", sipp.AwaitBye)
	joined(t, ctx, n, 4)
	vanishes.Stop()

	for name, r := range map[string]*sipp.Running{"refreshed": refreshed, "refreshes": refreshes} {
		result, err := r.Wait(ctx)
		if d := result.Only(); err != nil || result.Successful != 1 || d.EndedBy != sipp.Here || d.Ended.Sub(d.Answered) < early {
			t.Errorf("%s: %v %v", name, err, result)
		}
	}
	// Who refreshes is seen from the request: the node's own, and that of the caller.
	if log := refreshed.Result().Log(); !strings.Contains(log, "UPDATE sip:") || strings.Count(log, "Session-Expires: 90;refresher=uac") != 1 {
		t.Errorf("the node has not refreshed:\n%s", log)
	}
	if log := refreshes.Result().Log(); strings.Count(log, "Require: timer") != 2 {
		t.Errorf("the caller's refresh was not taken for one:\n%s", log)
	}
	result, err := silent.Wait(ctx)
	if d := result.Only(); err != nil || d.EndedBy != sipp.There || d.Ended.Sub(d.Answered) < early-time.Second ||
		!strings.Contains(result.Log(), "Session timer expired") {
		t.Errorf("silent: %v %v\n%s", err, result, result.Log())
	}
	joined(t, ctx, n, 0)
	for from, cause := range map[string]store.ReleaseCause{"refreshed": store.CauseHangup, "refreshes": store.CauseHangup,
		"silent": store.CauseLost, "vanishes": store.CauseLost} {
		call, steps := trace(t, ctx, n, from)
		if call.Cause != cause || !hasStep(steps, "settle", "ok") {
			t.Errorf("%s: %+v\n%+v", from, call, steps)
		}
	}
}
