package server

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// CA1, SE1: who is not trusted by its address needs a password, and learns nothing
// without: a number that exists and one that does not look the same.
func TestStrangersNeedAPassword(t *testing.T) {
	const stranger = "127.0.0.2"
	l := startLab(t, func(ctx context.Context, s store.Store) {
		rule := store.CallRule{ID: store.NewRuleID(), Position: 5, Source: netip.MustParsePrefix(stranger + "/32"), Action: store.RuleDigest}
		if err := s.CreateCallRule(ctx, rule); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	target := l.node.sip.Addrs()[0].Addr.String()
	for _, number := range []string{demoNumber, "5550000"} {
		result := sipp.Call(t, ctx, sipp.Caller{Target: target, Number: number, Local: stranger, Expect: 401})
		if result.Successful != 1 {
			t.Errorf("%s without a password: %v\n%s", number, result, result.Errors)
		}
	}
	for _, c := range []struct{ name, user, password, number, want string }{
		{"right", demoUser, demoPassword, demoNumber, ""},
		{"right, unknown number", demoUser, demoPassword, "5550000", "404"},
		{"wrong password", demoUser, "looking-glass", demoNumber, "401"},
		{"unknown user", "mallory", demoPassword, demoNumber, "401"},
	} {
		phone := baresip.Start(t, baresip.Options{Name: "phone", Local: stranger, Username: c.user, Password: c.password})
		err := phone.Call(ctx, c.number, target)
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// CA1: a telephone on this machine is let in also if it calls from the address of a network.
func TestThisMachineNeedsNoPassword(t *testing.T) {
	l := startLab(t, nil)
	for own := range *l.node.own.known.Load() {
		if !own.Is4() || !own.IsGlobalUnicast() {
			continue
		}
		call := sipp.Start(t, sipp.Caller{Target: l.node.sip.Addrs()[0].Addr.String(), Number: demoNumber, Local: own.String()})
		if result, err := call.Wait(t.Context()); err != nil || result.Successful != 1 {
			t.Errorf("from %s: %v, %v", own, result, err)
		}
		return
	}
	t.Skip("this machine has no address but 127.0.0.1")
}
