package sipp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/process"
	"github.com/conclave-voice/conclave/testenv/tools"
)

// Running is a SIPp under way.
type Running struct {
	process *process.Process
	dir     string // of its scenario and traces
	address string // that it listens at
	callID  string // of its only call, or empty
	tcp     bool
	in      *netns.Namespace
}

// Call makes the calls and waits for their end; SIPp is killed when ctx ends, and
// the test then fails. It fails too if SIPp cannot run, but not because of how a
// call went: that is in the result.
func Call(t testing.TB, ctx context.Context, c Caller) Result {
	t.Helper()
	result, err := Start(t, c).Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Start begins the calls and returns.
func Start(t testing.TB, c Caller) *Running {
	t.Helper()
	c = c.withDefaults()
	media := needsMedia(c.Steps)
	r := prepare(t, c.In, c.Local, c.TCP, media, loopback.Ports(t, 1))
	captures := r.writeCaptures(t, c.Steps)
	r.writeScenario(t, c.scenario(captures))

	args := append(r.args(c.Local, c.TCP, c.Echo, loopback.Ports(t, 4)), "-auth_uri", c.Number+"@"+c.Target,
		"-m", strconv.Itoa(c.Load.Calls), "-r", strconv.Itoa(c.Load.Rate), "-l", strconv.Itoa(c.Load.Limit))
	if c.Load.Calls <= maxLogged {
		args = append(args, r.logMessages()...)
	}
	if c.Load.Calls == 1 {
		r.callID = "only-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(r.dir) + "@" + c.Local
		args = append(args, "-cid_str", r.callID)
	}
	r.start(t, append(args, c.Target))
	return r
}

// Answer begins to take calls, and returns when it can. See [Running.Address].
func Answer(t testing.TB, a Answerer) *Running {
	t.Helper()
	if a.Port == 0 {
		a.Port = loopback.Ports(t, 1)
	}
	a = a.withDefaults()
	r := prepare(t, a.In, a.Local, a.TCP, needsMedia(a.Steps), a.Port)
	r.writeScenario(t, a.scenario(r.writeCaptures(t, a.Steps)))
	r.start(t, append(r.args(a.Local, a.TCP, a.Echo, loopback.Ports(t, 4)), r.logMessages()...))

	// SIPp says nothing when it is ready; its port is then no longer free.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.process.Poll(ctx, func() error { return r.in.Do(func() error { return bound(r.address, a.TCP) }) }); err != nil {
		t.Fatalf("SIPp does not listen: %v", err)
	}
	return r
}

func (c Caller) withDefaults() Caller {
	setDefault(&c.Local, "127.0.0.1")
	setDefault(&c.From, "5550199")
	setDefault(&c.Expect, 200)
	setDefault(&c.Patience, 30*time.Second)
	setDefault(&c.Load.Calls, 1)
	setDefault(&c.Load.Rate, 10)
	setDefault(&c.Load.Limit, c.Load.Calls)
	return c
}

func (a Answerer) withDefaults() Answerer {
	setDefault(&a.Local, "127.0.0.1")
	setDefault(&a.Status, 200)
	setDefault(&a.Patience, 30*time.Second)
	return a
}

func setDefault[T comparable](value *T, whenZero T) {
	var zero T
	if *value == zero {
		*value = whenZero
	}
}

func needsMedia(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.stream != nil })
}

// prepare checks what SIPp needs and makes the directory of a run.
func prepare(t testing.TB, in *netns.Namespace, local string, tcp, media bool, port int) *Running {
	t.Helper()
	tools.Need(t, tools.SIPp)
	if media {
		tools.NeedRoot(t, "SIPp plays RTP by a raw socket")
	}
	dir, err := os.MkdirTemp(t.ArtifactDir(), "sipp-")
	if err != nil {
		t.Fatalf("making a directory for SIPp: %v", err)
	}
	return &Running{dir: dir, tcp: tcp, in: in, address: net.JoinHostPort(local, strconv.Itoa(port))}
}

// The files of a run.
const (
	scenarioFile = "scenario.xml"
	statsFile    = "statistics.csv"
	traceFile    = "trace.tsv" // a line for each message
	messagesFile = "messages.log"
	errorsFile   = "errors.log"
)

func (r *Running) path(file string) string { return filepath.Join(r.dir, file) }

func (r *Running) writeScenario(t testing.TB, xml string) {
	t.Helper()
	if err := os.WriteFile(r.path(scenarioFile), []byte(xml), 0o644); err != nil {
		t.Fatalf("writing a scenario: %v", err)
	}
}

// writeCaptures writes the streams that the steps play.
func (r *Running) writeCaptures(t testing.TB, steps []Step) map[*pcap.Stream]string {
	t.Helper()
	captures := make(map[*pcap.Stream]string)
	for _, step := range steps {
		if step.stream == nil || captures[step.stream] != "" {
			continue
		}
		path := r.path(fmt.Sprintf("stream-%d.pcap", len(captures)))
		if err := step.stream.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		captures[step.stream] = path
	}
	return captures
}

// args are the arguments that callers and called parties have in common. SIPp
// takes the media port and that after the next; both are bound though nobody
// reads them, so that what comes in is no ICMP error for the sender.
func (r *Running) args(local string, tcp, echo bool, mediaPort int) []string {
	_, port, _ := net.SplitHostPort(r.address)
	args := []string{"-sf", r.path(scenarioFile), "-nostdin", "-aa",
		"-i", local, "-p", port, "-mi", local, "-mp", strconv.Itoa(mediaPort),
		"-trace_stat", "-stf", r.path(statsFile), "-fd", "1",
		"-trace_shortmsg", "-shortmessage_file", r.path(traceFile),
		"-trace_err", "-error_file", r.path(errorsFile)}
	if tcp {
		args = append(args, "-t", "t1")
	}
	if echo {
		args = append(args, "-rtp_echo")
	}
	return args
}

// maxLogged is for how many calls all messages are logged in full.
const maxLogged = 100

func (r *Running) logMessages() []string {
	return []string{"-trace_msg", "-message_file", r.path(messagesFile)}
}

func (r *Running) start(t testing.TB, args []string) {
	t.Helper()
	r.process = process.Start(t, process.Command{
		Name: filepath.Base(r.dir), Path: tools.SIPp.Program, Args: args, Dir: r.dir,
		Env:    []string{"TERM=dumb"},
		In:     r.in,
		Silent: true, // it draws its screen again and again
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("SIPp's traces are in %s (kept with go test -artifacts)\n%s", r.dir, r.read(errorsFile))
		}
	})
}

// Address is the HOST:PORT at which it sends and listens.
func (r *Running) Address() string { return r.address }

// Done is closed when all calls are over.
func (r *Running) Done() <-chan struct{} { return r.process.Done() }

// Wait waits until all calls of a caller are over. When ctx ends first, SIPp is
// killed, and the error comes with what happened until then.
func (r *Running) Wait(ctx context.Context) (Result, error) {
	code, err := r.process.Wait(ctx)
	result := r.Result()
	if err != nil {
		return result, err
	}
	if code != 0 && code != 1 { // 1: some call failed
		return result, fmt.Errorf("SIPp ended with code %d: %s\n%s", code, r.read(errorsFile), r.process.Tail(10))
	}
	return result, nil
}

// Stop ends a called party at once and returns what happened.
func (r *Running) Stop() Result {
	r.process.Kill()
	return r.Result()
}

// HangUp tells the only call of a caller, over UDP, to send its BYE now instead of
// at the end of its steps.
func (r *Running) HangUp() error {
	if r.callID == "" || r.tcp {
		return errors.New("only a single call over UDP can be told to hang up")
	}
	conn, err := r.in.DialContext(context.Background(), "udp", r.address)
	if err != nil {
		return fmt.Errorf("telling SIPp to hang up: %w", err)
	}
	defer conn.Close()
	local := conn.LocalAddr().String()
	_, err = fmt.Fprintf(conn, "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-told\r\n"+
		"From: <sip:test@%s>;tag=told\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
		hangUpRequest, r.address, local, local, r.address, r.callID, hangUpRequest)
	return err
}

func (r *Running) read(file string) string {
	content, err := os.ReadFile(r.path(file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(content)
}

// bound reports, by an error, that nobody has bound an address.
func bound(address string, tcp bool) error {
	var socket interface{ Close() error }
	var err error
	if tcp {
		socket, err = net.Listen("tcp", address)
	} else {
		socket, err = net.ListenPacket("udp", address)
	}
	if err != nil {
		return nil
	}
	socket.Close()
	return fmt.Errorf("%s is free", address)
}
