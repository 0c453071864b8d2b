package acceptance

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// command runs a command of the program and wants it to work.
func command(t *testing.T, ctx context.Context, n *node.Node, args ...string) string {
	t.Helper()
	out, err := n.Command(ctx, args...)
	must(t, err)
	return out
}

// shown is what `node conferences show` tells.
type shown struct {
	ID           string
	Phase        string
	Locked       bool
	Participants []struct {
		ParticipantID, Caller, Role string
		MutedByModerator            bool
		Hears                       []string
	}
}

// show reads it until it is as wanted: the history is written a moment after the fact.
func show(t *testing.T, ctx context.Context, n *node.Node, wanted func(shown) bool, args ...string) (s shown) {
	t.Helper()
	for {
		s = shown{}
		must(t, n.Read(ctx, &s, append([]string{"conferences", "show"}, args...)...))
		if wanted(s) {
			return s
		}
		if ctx.Err() != nil {
			t.Fatalf("it stays %+v", s)
		}
	}
}

// CF1, CF6, CF8, CA8: an operator sees and controls a conference with the program's
// commands, while callers are in, and reads afterwards who was in and who paid.
func TestControlByCommand(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	n := startNode(t, ctx)
	command(t, ctx, n, "rooms", "add", "Sales", "--account", "conf1234", "--host-code", "112233", "--guest-code", "445566")
	a, b := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{})
	dialIn(t, ctx, n, a, "112233#")
	dialIn(t, ctx, n, b, "445566#")
	joined(t, ctx, n, 2)
	hearsExactly(t, ctx, a, 2, 1)
	s := show(t, ctx, n, func(s shown) bool { return len(s.Participants) == 2 }, "Sales")
	alice, bob := s.Participants[0], s.Participants[1]
	if alice.Role != "moderator" || bob.Role != "speaker" || len(bob.Hears) != 1 || bob.Hears[0] != alice.ParticipantID || s.Phase != "open" {
		t.Errorf("%+v", s)
	}

	command(t, ctx, n, "conferences", "mute", "Sales", bob.Caller)
	must(t, a.HearsNone(ctx, time.Second, tone.Caller(1)))
	muted := show(t, ctx, n, func(s shown) bool { return s.Participants[1].MutedByModerator }, "Sales")
	if len(muted.Participants[0].Hears) != 0 {
		t.Errorf("%+v", muted)
	}
	while := time.Now().UTC().Format(time.RFC3339Nano)
	command(t, ctx, n, "conferences", "unmute", "Sales", bob.Caller)
	must(t, a.Hears(ctx, tone.Caller(1), time.Second))

	command(t, ctx, n, "conferences", "lock", "Sales")
	late := phone(t, 2, baresip.Options{})
	dialIn(t, ctx, n, late, "445566#")
	if _, err := late.Closed(ctx); err != nil {
		t.Errorf("a caller got into a locked conference: %v", err)
	}
	command(t, ctx, n, "conferences", "unlock", "Sales")

	if out, err := n.Command(ctx, "rooms", "remove", "Sales"); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a room in use: %q, %v", out, err)
	}
	command(t, ctx, n, "conferences", "kick", "Sales", bob.Caller)
	if _, err := b.Closed(ctx); err != nil {
		t.Errorf("bob was not taken out: %v", err)
	}
	joined(t, ctx, n, 1)
	command(t, ctx, n, "conferences", "end", "Sales")
	if _, err := a.Closed(ctx); err != nil {
		t.Errorf("the conference did not end: %v", err)
	}
	joined(t, ctx, n, 0)

	then := show(t, ctx, n, func(shown) bool { return true }, s.ID, "--at", while)
	if len(then.Participants) != 2 || !then.Participants[1].MutedByModerator || then.Participants[1].Caller != bob.Caller {
		t.Errorf("while bob was muted: %+v", then)
	}
	history := command(t, ctx, n, "conferences", "history", s.ID)
	for _, want := range []string{"mod-muted", "locked", "unlocked", "left", "ended", "api:local"} {
		if !strings.Contains(history, want) {
			t.Errorf("the history does not tell %q:\n%s", want, history)
		}
	}
	checkRecords(t, ctx, n, map[string]string{alice.ParticipantID: "ended", bob.ParticipantID: "ejected"})
}

// checkRecords wants exactly one usage record for each stay, with its cause, and that
// the account paid for them: each has begun its first minute.
func checkRecords(t *testing.T, ctx context.Context, n *node.Node, causes map[string]string) {
	t.Helper()
	var rows [][]string
	for rows == nil || len(rows) < len(causes)+1 && ctx.Err() == nil {
		var err error
		rows, err = csv.NewReader(strings.NewReader(command(t, ctx, n, "xdrs", "export"))).ReadAll()
		must(t, err)
	}
	if len(rows) != len(causes)+1 {
		t.Errorf("%d records for %d stays", len(rows)-1, len(causes))
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		if got := row[column["cause"]]; got != causes[row[column["id"]]] {
			t.Errorf("stay %s ended by %q, want %q", row[column["id"]], got, causes[row[column["id"]]])
		}
		if row[column["per_minute"]] != "0.03" || row[column["currency"]] != "USD" {
			t.Errorf("%v", row)
		}
	}
	var account struct{ Balance, Reserved string }
	must(t, n.Read(ctx, &account, "accounts", "show", "conf1234"))
	if want := fmt.Sprintf("%.2f", 100-0.03*float64(len(causes))); account.Balance != want || account.Reserved != "0.00" {
		t.Errorf("balance %s, reserved %s; want %s and 0.00", account.Balance, account.Reserved, want)
	}
}
