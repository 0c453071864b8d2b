package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/load/soak"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runCommand runs conclave-load with ports of its own, and a machine that is busy.
func runCommand(t *testing.T, args ...string) (string, error) {
	tools.Need(t, tools.FFmpeg)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	sip, rtp := loopback.Ports(t, 4), loopback.Ports(t, 100)
	root := rootCommand(ports{sip: uint16(sip), http: uint16(sip + 2), rtp: fmt.Sprintf("%d-%d", rtp, rtp+99)})
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append(args, "--busy", "--node-cpu", "-1", "--caller-cpu", "-1", "--node", node.Program(t)))
	err := root.ExecuteContext(ctx)
	return out.String(), err
}

// OP3, CF10, CD3: a very short soak. Callers come and go, hear their rooms, are recorded,
// and leave nothing behind.
func TestSoak(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lines.jsonl")
	said, err := runCommand(t, "soak", "--callers", "8", "--for", "25s", "--stay", "15s", "--every", "8s", "--floor", "2s", "--floor-callers", "3",
		"--record", "2", "--codecs", "PCMU,G722", "--out", file, "--profiles", dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{"noise floor: ", "ratio ", " 0 failed", " 0 faulty", "0 and 0 pairs of ports", "passed"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	var last soak.Line
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) < 2 || last.Callers < 1 || last.Calls < 8 || last.Memory == 0 {
		t.Errorf("%d lines, the last %+v, %v", len(lines), last, err)
	}
	for _, name := range []string{"soak-half-cpu", "soak-half-heap", "soak-end-goroutine"} {
		if info, err := os.Stat(filepath.Join(dir, name+".pprof")); err != nil || info.Size() == 0 {
			t.Errorf("profile %s: %v", name, err)
		}
	}
}

// A ramp ends where packets are bad; here all of them may not be.
func TestRampEnds(t *testing.T) {
	said, err := runCommand(t, "ramp", "--from", "2", "--step", "2", "--for", "1s", "--bad", "0", "--room-size", "one", "--speakers", "1", "--others", "noise", "--json")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var l line
	if err := json.Unmarshal([]byte(said), &l); err != nil || l.Callers != 2 || l.Good || l.CPUPerSecond <= 0 || l.BarePerSecond <= 0 || l.Heard.Listeners != 2 {
		t.Errorf("%s: %+v, %v", said, l, err)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"hold", "--room-size", "few"}, "--room-size few"},
		{[]string{"hold", "--codecs", "EVS"}, `codec "EVS"`},
		{[]string{"hold", "--others", "music", "--callers", "2"}, `"music"`},
		{[]string{"ramp", "--step", "0"}, "--step 0"},
	} {
		if said, err := runCommand(t, test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v %s", test.args, err, said)
		}
	}
}
