package acceptance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/browser"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// SC2, CF6, CD1, CA8, SE1: an operator with a browser sees which codecs are on, who is in a
// conference, mutes a caller, who is heard no more, follows a call step by step, and takes
// the node out of use; who has no valid token sees nothing.
// CONCLAVE_PICTURES=DIR keeps pictures of the pages.
func TestConsole(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	n := startNode(t, ctx)
	b := browser.Start(t)
	picture := func(name string) {
		if dir := os.Getenv("CONCLAVE_PICTURES"); dir != "" {
			must(t, os.WriteFile(filepath.Join(dir, name+".png"), b.Picture(), 0o600))
		}
	}
	phones := []*baresip.Phone{phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{})}
	for _, p := range phones {
		dialIn(t, ctx, n, p, guestCode)
	}
	joined(t, ctx, n, 2)

	b.Open(n.API() + "/")
	b.Shows("Cluster", "Participants", "Drain")
	picture("cluster")
	b.Click("main", "local")
	b.Shows("Site local", "Records waiting", "No other site looks at it.")
	picture("site")

	b.Click("nav", "Codecs")
	b.Shows("Payload type", "PCMU", "G722")
	var list []v1.Codec
	must(t, json.Unmarshal([]byte(command(t, ctx, n, "codecs", "--json")), &list))
	if rows := b.Rows(); rows != len(list) {
		t.Errorf("%d codecs are shown, there are %d", rows, len(list))
	}
	for _, c := range list {
		b.Shows(c.Name, c.Reason)
	}
	picture("codecs")

	s := show(t, ctx, n, func(s shown) bool { return len(s.Participants) == 2 }, "Demo room")
	b.Click("nav", "Conferences")
	b.Click("main", "Demo room")
	b.Shows(s.Participants[0].Caller, s.Participants[1].Caller, "PCMU")
	picture("conference")
	hearsExactly(t, ctx, phones[0], 2, 1)
	b.Click("tr[2]", "Mute")
	b.Shows("muted by a moderator")
	s = show(t, ctx, n, func(s shown) bool { return s.Participants[1].MutedByModerator }, "Demo room")
	must(t, phones[0].HearsNone(ctx, time.Second, tone.Caller(1)))
	b.Click("tr[2]", "Unmute")
	b.Hides("muted by a moderator")
	must(t, phones[0].Hears(ctx, tone.Caller(1), time.Second))

	b.Click("nav", "Calls")
	b.Click("main", s.Participants[0].Caller)
	b.Shows("Step by step", "authorize")
	picture("call")

	b.Click("nav", "Cluster")
	b.AnswerDialogs()
	b.Click("main", "Drain")
	b.Shows("drains", "Use again")

	b.Open("about:blank")
	b.Open(n.API() + "/console/#/codecs")
	b.Evaluate("sessionStorage.setItem('conclave-token', 'cv_wrong')")
	b.Shows("Sign in", "the token is unknown")
	picture("sign-in")
	var made struct{ Secret string }
	must(t, n.Read(ctx, &made, "tokens", "add", "desk", "--role", "operator"))
	b.Type("#token", made.Secret)
	b.Click("dialog", "Sign in")
	b.Shows("Payload type", "Sign out")
	b.Hides("failed")
}
