package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/process"
)

// Options say how to start a node. The zero value is "node dev" as a user gets it.
type Options struct {
	Name    string   // of its log; default "node"
	Command []string // before the flags; default "dev"
	Flags   []string // after --data, --sip, --http and --rtp
	Env     []string // NAME=value
	Token   string   // that Command and Read use; the node asks for none on "dev"

	DataDir  string // default a directory that is removed with the test
	RTPPorts int    // how many; default 200, at most 500
	Package  string // the program, from the module's root; default ./cmd/node
	Several  bool   // other nodes run beside it: see RaceSeveral
}

// Node is a node that runs, or has run and may be started again.
type Node struct {
	t       testing.TB
	options Options
	path    string
	sip     int
	http    int
	rtp     int
	client  *http.Client
	process *process.Process
}

// Start builds the program if need be and starts it. The node may not be ready
// yet: see [Node.WaitReady]. It is killed when the test ends.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	o = o.withDefaults(t)
	path, err := build(o.Package, Race && !o.Several || RaceSeveral())
	if err != nil {
		t.Fatal(err)
	}
	ports := loopback.Ports(t, 4)
	n := &Node{t: t, options: o, path: path, sip: ports, http: ports + 2, rtp: loopback.Ports(t, o.RTPPorts),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}}
	n.start()
	return n
}

func (o Options) withDefaults(t testing.TB) Options {
	if o.Name == "" {
		o.Name = "node"
	}
	if o.Command == nil {
		o.Command = []string{"dev"}
	}
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	if o.RTPPorts == 0 {
		o.RTPPorts = 200
	}
	if o.Package == "" {
		o.Package = program
	}
	return o
}

func (n *Node) start() {
	n.t.Helper()
	// Runs after the process's own cleanup, which kills it.
	n.t.Cleanup(n.checkLog)
	args := append([]string{}, n.options.Command...)
	args = append(args,
		"--data", n.options.DataDir,
		"--sip", n.SIP(),
		"--http", loopback.Address(n.http),
		"--rtp", fmt.Sprintf("%d-%d", n.rtp, n.rtp+n.options.RTPPorts-1))
	n.process = process.Start(n.t, process.Command{
		Name: n.options.Name, Path: n.path, Args: append(args, n.options.Flags...),
		// Nodes and callers share one machine, on which audio is late at times.
		Env: append([]string{"CONCLAVE_MAX_MEDIA_LOAD=0"}, n.options.Env...)})
}

// SIP is the HOST:PORT of SIP over UDP and TCP.
func (n *Node) SIP() string { return loopback.Address(n.sip) }

// RTP is the first and the last of its ports for RTP.
func (n *Node) RTP() (first, last int) { return n.rtp, n.rtp + n.options.RTPPorts - 1 }

// API is the base URL of the HTTP API, without a slash at its end.
func (n *Node) API() string { return "http://" + loopback.Address(n.http) }

// DataDir is the directory with what the node keeps.
func (n *Node) DataDir() string { return n.options.DataDir }

// PID is the node's process id.
func (n *Node) PID() int { return n.process.PID() }

// WaitReady waits until /readyz answers 200.
func (n *Node) WaitReady(ctx context.Context) error {
	err := n.process.Poll(ctx, func() error {
		_, err := n.get(ctx, "/readyz")
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is not ready: %w", n.options.Name, err)
	}
	return nil
}

// Kill9 kills the node at once, as a crash does.
func (n *Node) Kill9() { n.process.Kill() }

// Stop sends SIGTERM and waits for the end; another exit code than 0 is an error.
func (n *Node) Stop(ctx context.Context) error {
	code, err := n.process.Stop(ctx)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d; its last words:\n%s", code, n.process.Tail(15))
	}
	if err != nil {
		return fmt.Errorf("stopping %s: %w", n.options.Name, err)
	}
	return nil
}

// Restart starts a node that has ended again, with its ports and data, and waits
// until it is ready.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.StartAgain(); err != nil {
		return err
	}
	return n.WaitReady(ctx)
}

// StartAgain is Restart without the wait, for a node that will not be ready.
func (n *Node) StartAgain() error {
	if n.process.Running() {
		return errors.New("restarting " + n.options.Name + ": it still runs: stop or kill it first")
	}
	n.start()
	return nil
}

// Running reports whether the node has not ended.
func (n *Node) Running() bool { return n.process.Running() }

// Log returns all that the node has logged since its first start.
func (n *Node) Log() string {
	content, err := os.ReadFile(n.process.Log())
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// AwaitLog waits until the log has a text.
func (n *Node) AwaitLog(ctx context.Context, text string) error {
	return n.process.Poll(ctx, func() error {
		if !strings.Contains(n.Log(), text) {
			return fmt.Errorf("the log has no %q", text)
		}
		return nil
	})
}

// faults are the beginnings of what Go writes about a wrong program.
var faults = []string{"WARNING: DATA RACE", "panic:", "fatal error:", "concurrent map"}

// checkLog fails the test for a node that went wrong unnoticed.
func (n *Node) checkLog() {
	log := n.Log()
	for _, fault := range faults {
		if at := strings.Index(log, fault); at >= 0 {
			n.t.Errorf("%s: its log %s has %q:\n%s", n.options.Name, filepath.Base(n.process.Log()), fault,
				log[at:min(len(log), at+3000)])
			return
		}
	}
}
