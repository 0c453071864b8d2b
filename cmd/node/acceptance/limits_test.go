package acceptance

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// startRun is `node run` on a new database with the account and the number of the
// demo data, for what `node dev` has no flags for.
func startRun(t *testing.T, ctx context.Context, flags ...string) *node.Node {
	t.Helper()
	return startRunWith(t, ctx, node.Options{Flags: flags})
}

func startRunWith(t *testing.T, ctx context.Context, o node.Options) *node.Node {
	t.Helper()
	o.Command, o.DataDir = []string{"run"}, t.TempDir()
	out, err := exec.CommandContext(ctx, node.Program(t), "init", "--data", o.DataDir).Output()
	must(t, err)
	o.Token = regexp.MustCompile(`cv_\w+`).FindString(string(out))
	n := node.Start(t, o)
	must(t, n.WaitReady(ctx))
	for _, args := range [][]string{
		{"customers", "add", "Acme"},
		{"tariffs", "add", "Standard", "--currency", "USD"},
		{"tariffs", "set-rate", "Standard", "0.03", "--first", "60", "--next", "60"},
		{"accounts", "add", "conf1234", "--customer", "Acme", "--tariff", "Standard", "--balance", "100.00"},
		{"numbers", "add", number},
		{"rules", "add", "trust", "--position", "10", "--source", "127.0.0.0/8"},
	} {
		command(t, ctx, n, args...)
	}
	return n
}

// refusal is one that a caller has to hear.
type refusal struct {
	caller, code string
	says         prompt.ID
	detail       string // in the trace and the log
}

// refused calls, and checks that the caller is told why, released, and that the
// refusal is in the log and in the call's trace.
func refused(t *testing.T, ctx context.Context, n *node.Node, w words, r refusal) {
	t.Helper()
	p := silent(t, r.caller)
	dialIn(t, ctx, n, p, r.code)
	closedByNode(t, ctx, p)
	w.heard(p, true, r.says)
	call, steps := trace(t, ctx, n, r.caller)
	if call.SIPStatus != 200 || call.Cause != store.CauseLimit || hasStep(steps, "join", "ok") || hasStep(steps, "settle", "ok") {
		t.Errorf("%s: %+v", r.caller, call)
	}
	told := false
	for _, s := range steps {
		told = told || s.Outcome == "refused" && s.Detail == r.detail
	}
	if !told {
		t.Errorf("%s: the trace does not tell that %s: %+v", r.caller, r.detail, steps)
	}
	if log := n.Log(); !strings.Contains(log, "caller not let in") || !strings.Contains(log, r.detail) {
		t.Errorf("the log does not tell that %s", r.detail)
	}
}

// CF9, CA8: who is over a room's or an account's limit, or meets a lock, hears which,
// and is released; nobody pays for it. A moderator passes the lock. What ends makes
// room again.
func TestRoomAndAccountLimits(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	addRoom(t, ctx, n, "Small", "555111", "555222", "--max-participants", "2")
	host, guest := silent(t, "host"), silent(t, "guest")
	dialIn(t, ctx, n, host, "555222#")
	dialIn(t, ctx, n, guest, "555111#")
	joined(t, ctx, n, 2)
	refused(t, ctx, n, w, refusal{"one-too-many", "555111#", prompt.RoomFull, "the conference is full"})
	must(t, guest.Hangup(ctx))
	joined(t, ctx, n, 1)

	must(t, host.SendDigits(ctx, "*7"))
	w.hears(ctx, host, prompt.Locked)
	refused(t, ctx, n, w, refusal{"locked-out", "555111#", prompt.IsLocked, "the conference is locked"})
	second := silent(t, "second-host")
	dialIn(t, ctx, n, second, "555222#")
	joined(t, ctx, n, 2)
	must(t, second.Hangup(ctx))
	joined(t, ctx, n, 1)
	must(t, host.SendDigits(ctx, "*7"))
	w.hears(ctx, host, prompt.Unlocked)

	command(t, ctx, n, "accounts", "edit", "conf1234", "--max-participants", "1")
	refused(t, ctx, n, w, refusal{"too-many-in-all", guestCode, prompt.AccountFull, "the account's conferences are full"})
	must(t, host.Hangup(ctx))
	joined(t, ctx, n, 0)
	last := silent(t, "last")
	dialIn(t, ctx, n, last, guestCode)
	joined(t, ctx, n, 1)
}

// CF9, OP3, CA8: a node that has as many participants as it may says so to the next
// caller; one that has as many calls as it may refuses the next with 503.
func TestNodeLimits(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n, w := startRun(t, ctx, "--max-participants", "1", "--max-calls", "2"), loadWords(t)
	addRoom(t, ctx, n, "Room", "555111", "555222")
	first := silent(t, "first")
	dialIn(t, ctx, n, first, "555111#")
	joined(t, ctx, n, 1)
	refused(t, ctx, n, w, refusal{"one-too-many", "555111#", prompt.NodeFull, "the node is full"})

	second := silent(t, "second") // is asked for a code: a call all the same
	must(t, second.Call(ctx, number, n.SIP()))
	third := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, From: "third", Expect: 503})
	if third.Successful != 1 || !strings.Contains(third.Log(), "Retry-After:") {
		t.Errorf("%v\n%s", third, third.Log())
	}
	call, steps := trace(t, ctx, n, "third")
	if call.SIPStatus != 503 || call.Cause != store.CauseLimit || !hasStep(steps, "capacity", "refused") {
		t.Errorf("%+v\n%+v", call, steps)
	}
	must(t, n.AwaitLog(ctx, "step=capacity"))
	for _, p := range []*baresip.Phone{first, second} {
		must(t, p.Hangup(ctx))
	}
	joined(t, ctx, n, 0)
	again := silent(t, "again")
	dialIn(t, ctx, n, again, "555111#")
	joined(t, ctx, n, 1)
}
