package acceptance

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// OP3: a node whose audio takes as much of the processors' time as it may refuses new
// callers, with 503 and a time to try again, and says so. Those who are in stay; when they
// have left, callers are taken again.
func TestCallersAreRefusedBeforeAudioSuffers(t *testing.T) {
	ctx := within(t, 180*time.Second)
	n := startRunWith(t, ctx, node.Options{RTPPorts: 400, Env: []string{"GOMAXPROCS=1"}, Flags: []string{"--max-media-load", "1"}})
	command(t, ctx, n, "rooms", "add", "Crowd", "--account", "conf1234", "--guest-code", strings.TrimSuffix(guestCode, "#"))
	crowd := sipp.Start(t, sipp.Caller{Target: n.SIP(), Number: number,
		Steps: []sipp.Step{sipp.Info(guestCode), sipp.Wait(12 * time.Second)}, Load: sipp.Load{Calls: 150, Rate: 30, Limit: 150}})
	must(t, n.AwaitMetric(ctx, "conclave_overloaded", nil, func(v float64) bool { return v == 1 }))
	refused := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, Expect: 503})
	messages, err := os.ReadFile(refused.Messages)
	must(t, err)
	if refused.Successful != 1 || !strings.Contains(string(messages), "Retry-After") {
		t.Errorf("%v\n%s", refused, messages)
	}
	result, err := crowd.Wait(ctx)
	must(t, err)
	if in := result.Successful; in == 0 || in == 150 {
		t.Errorf("%d of 150 callers were let in: %v", in, result)
	}
	must(t, n.AwaitMetric(ctx, "conclave_overloaded", nil, func(v float64) bool { return v == 0 }))
	again := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number, Steps: []sipp.Step{sipp.Info(guestCode), sipp.Wait(time.Second)}})
	if again.Successful != 1 {
		t.Errorf("%v\n%s", again, again.Errors)
	}
}
