package signaling

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/tools"
)

// Two endpoints: what one sends, the other takes (SPEC CA9, IPv6 included).
func TestTwoEndpoints(t *testing.T) {
	for _, c := range []struct{ network, local string }{
		{"udp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}, {"udp", "[::1]:0"}, {"tcp", "[::1]:0"},
	} {
		t.Run(c.network+" "+c.local, func(t *testing.T) {
			listen := []ListenAddr{{"udp", c.local}, {"tcp", c.local}}
			called := newAnswering()
			callee := serve(t, Config{Listen: listen}, called)
			caller := serve(t, Config{Listen: listen}, newAnswering())
			calling := newRecorder()
			target := fmt.Sprintf("sip:room@%s;transport=%s", address0(callee, c.network), c.network)
			ctx := context.Background()

			// Our offer; they hang up.
			a, answer, err := caller.Dial(ctx, DialRequest{Target: target, Offer: []byte(testOffer)}, calling)
			if err != nil || string(answer) != testAnswer {
				t.Fatalf("Dial: %v, answer %q", err, answer)
			}
			b := wait(t, called.dialogs, "the dialog")
			for _, d := range []*Dialog{a, b, a} {
				if answer, err := d.Reinvite(ctx, []byte(testOffer)); err != nil || string(answer) != testAnswer {
					t.Errorf("Reinvite: %v, answer %q", err, answer)
				}
			}
			if err := b.Hangup(ctx, Reason{Protocol: "Q.850", Cause: 16}); err != nil {
				t.Error(err)
			}
			if end := wait(t, calling.ended, "the end"); end.By != ByPeer || end.Reason != "Q.850;cause=16" {
				t.Errorf("ended: %v", end)
			}
			if end := wait(t, called.ended, "the end"); end.By != ByLocal || end.Cause != CauseHangup {
				t.Errorf("ended: %v", end)
			}
			if err := b.Hangup(ctx, Reason{}); err == nil {
				t.Error("hung up twice")
			}

			// Their offer; the node of the caller stops.
			if _, answer, err = caller.Dial(ctx, DialRequest{Target: target}, calling); err != nil || answer != nil {
				t.Fatalf("Dial without an offer: %v, answer %q", err, answer)
			}
			<-called.acks
			if got := wait(t, called.acks, "the ACK"); got != testAnswer {
				t.Errorf("the answer in the ACK is %q", got)
			}
			wait(t, called.dialogs, "the dialog")
			caller.stop()
			if end := wait(t, calling.ended, "the end"); end.Cause != CauseShutdown {
				t.Errorf("ended: %v", end)
			}
			wait(t, called.ended, "the end")
		})
	}
}

// Two sides offer at once, many times: each offer is answered in the end.
func TestGlareBetweenEndpoints(t *testing.T) {
	called := newAnswering()
	callee := serve(t, Config{}, called)
	caller := serve(t, Config{}, newAnswering())
	calling := newRecorder()
	a, _, err := caller.Dial(context.Background(), DialRequest{Target: "sip:x@" + address0(callee, "udp").String(), Offer: []byte(testOffer)}, calling)
	if err != nil {
		t.Fatal(err)
	}
	b := wait(t, called.dialogs, "the dialog")
	var wg sync.WaitGroup
	for _, d := range []*Dialog{a, b} {
		wg.Go(func() {
			for range 5 {
				if _, err := d.Reinvite(context.Background(), []byte(testOffer)); err != nil {
					t.Errorf("Reinvite: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if err := a.Hangup(context.Background(), Reason{}); err != nil {
		t.Error(err)
	}
}

// 200 calls of SIPp: INVITE, ACK, INFO, BYE (SPEC CA4).
func TestSIPpCalls(t *testing.T) {
	tools.Need(t, tools.SIPp)
	for _, transport := range []string{"u1", "t1"} {
		t.Run(transport, func(t *testing.T) {
			h := newAnswering()
			e := serve(t, Config{}, h)
			network := map[string]string{"u1": "udp", "t1": "tcp"}[transport]
			scenario, err := filepath.Abs("testdata/sipp_info.xml")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, tools.SIPp.Program, address0(e, network).String(), "-sf", scenario, "-t", transport, "-i", "127.0.0.1",
				"-p", freePort(t), "-m", "200", "-r", "100", "-nostdin", "-trace_err", "-timeout", "100")
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil {
				errors, _ := filepath.Glob(filepath.Join(cmd.Dir, "*errors*"))
				for _, name := range errors {
					text, _ := os.ReadFile(name)
					t.Logf("%s", text)
				}
				t.Fatalf("sipp: %v\n%s", err, tail(string(out)))
			}
			for range 200 {
				if end := wait(t, h.ended, "the end"); end.By != ByPeer {
					t.Errorf("ended: %v", end)
				}
			}
			if n := len(h.infos); n != 200 {
				t.Errorf("%d INFO, want 200", n)
			}
			if s := e.Stats(); s.Dialogs != 0 || s.Requests[Outcome{"INVITE", 200}] != 200 || s.Requests[Outcome{"BYE", 200}] != 200 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// freePort is one that no TCP socket has; SIPp wants to be told.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return port
}

func tail(s string) string { return s[max(0, len(s)-2000):] }
