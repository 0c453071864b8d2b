package baresip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/process"
	"github.com/conclave-voice/conclave/testenv/tools"
)

// Phone is a running baresip. Its methods may be called by one goroutine at a
// time, [Phone.Events] and what listens to recordings by any number.
type Phone struct {
	options    Options
	ports      ports
	process    *process.Process
	control    *control
	recordings string // directory
	muted      bool
	found      place // by HearsSaid

	mu   sync.Mutex
	next int // of the events that Await has not passed yet
}

// Start starts a telephone and returns when it can be used. It ends with the test.
func Start(t testing.TB, o Options) *Phone {
	t.Helper()
	tools.Need(t, tools.Baresip)
	o = o.withDefaults()
	first := loopback.Ports(t, 4+rtpPorts)
	p := &Phone{options: o, ports: ports{sip: first, control: first + 2, rtp: first + 4}}
	dir, err := os.MkdirTemp(t.ArtifactDir(), o.Name+"-")
	if err != nil {
		t.Fatalf("making a directory for %s: %v", o.Name, err)
	}
	p.recordings = filepath.Join(dir, "heard")
	p.writeConfiguration(t, dir)

	p.process = process.Start(t, process.Command{Name: filepath.Base(dir), Path: tools.Baresip.Program,
		Args: []string{"-f", dir, "-v", "-s"}, Env: []string{"HOME=" + dir}, In: o.In})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = p.process.Poll(ctx, func() (err error) {
		p.control, err = connect(ctx, o.In, loopback.Address(p.ports.control))
		return err
	})
	if err != nil {
		t.Fatalf("%s cannot be controlled: %v", o.Name, err)
	}
	t.Cleanup(p.control.close)
	return p
}

func (p *Phone) writeConfiguration(t testing.TB, dir string) {
	t.Helper()
	voice := filepath.Join(dir, "voice.wav")
	if err := p.options.voice(t).WriteWAV(voice); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.recordings, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"config":   p.options.configuration(p.ports, voice, p.recordings),
		"accounts": p.options.account(p.ports),
		"contacts": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatalf("configuring %s: %v", p.options.Name, err)
		}
	}
}

// Address is the HOST:PORT at which it can be called, by its Name.
func (p *Phone) Address() string {
	return net.JoinHostPort(p.options.Local, strconv.Itoa(p.ports.sip))
}

// Name is the user part of its address.
func (p *Phone) Name() string { return p.options.Name }

// Dial begins a call to a number at HOST:PORT.
func (p *Phone) Dial(ctx context.Context, number, target string) error {
	uri := "sip:" + number + "@" + target
	if p.options.TCP {
		uri += ";transport=tcp"
	}
	_, err := p.control.command(ctx, "dial", uri)
	return err
}

// Call dials and waits until the call is answered. The error of a refused call
// has the status and phrase.
func (p *Phone) Call(ctx context.Context, number, target string) error {
	if err := p.Dial(ctx, number, target); err != nil {
		return err
	}
	return p.Answered(ctx)
}

// Answered waits until a call that was begun or has come in is established.
func (p *Phone) Answered(ctx context.Context) error {
	event, err := p.Await(ctx, Established, Closed)
	if err == nil && event.Type == Closed {
		err = fmt.Errorf("%s: %w: %s", p.options.Name, errNoCall, event.Param)
	}
	return err
}

// Closed waits for the end of a call and returns why it ended, in the words of
// baresip.
func (p *Phone) Closed(ctx context.Context) (string, error) {
	event, err := p.Await(ctx, Closed)
	return event.Param, err
}

// Await returns the next event of one of the types, beginning after the last
// that it returned.
func (p *Phone) Await(ctx context.Context, types ...EventType) (Event, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	event, next, err := p.control.await(ctx, p.next, types...)
	p.next = next
	if err != nil {
		err = fmt.Errorf("%s: %w", p.options.Name, err)
	}
	return event, err
}

// Events returns all events since the start.
func (p *Phone) Events() []Event {
	p.control.mu.Lock()
	defer p.control.mu.Unlock()
	return slices.Clone(p.control.events)
}

// keyTime is from one key to the next, as a person who is quick at it keys them.
// baresip holds each key until it is told the next one or the release.
const keyTime = 120 * time.Millisecond

// SendDigits keys digits (0-9, *, #), one after the other.
func (p *Phone) SendDigits(ctx context.Context, digits string) error {
	for _, digit := range digits {
		for _, code := range []string{string(digit), keyRelease} {
			if _, err := p.control.command(ctx, "sndcode", code); err != nil {
				return fmt.Errorf("keying: %w", err)
			}
			if err := pace(ctx, keyTime); err != nil {
				return fmt.Errorf("keying: %w", err)
			}
		}
	}
	return nil
}

// keyRelease is the key code by which baresip knows that a key was let go.
const keyRelease = "\x04"

// pace waits, not for something to happen, but as a person does.
func pace(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Hold puts the call on hold by a re-INVITE. What is heard after it is in a new
// recording.
func (p *Phone) Hold(ctx context.Context) error { return p.tell(ctx, "hold") }

// Resume ends the hold.
func (p *Phone) Resume(ctx context.Context) error { return p.tell(ctx, "resume") }

// Hangup ends the call.
func (p *Phone) Hangup(ctx context.Context) error { return p.tell(ctx, "hangup") }

// Accept takes an incoming call.
func (p *Phone) Accept(ctx context.Context) error { return p.tell(ctx, "accept") }

func (p *Phone) tell(ctx context.Context, command string) error {
	_, err := p.control.command(ctx, command, "")
	return err
}

// Mute turns the microphone off or on; packets go on.
func (p *Phone) Mute(ctx context.Context, on bool) error {
	if p.muted == on {
		return nil
	}
	answer, err := p.control.command(ctx, "mute", "")
	if err != nil {
		return err
	}
	p.muted = strings.Contains(answer, "call muted")
	if p.muted != on {
		return fmt.Errorf("asked to mute (%v), %s says %q", on, p.options.Name, answer)
	}
	return nil
}

// Kill ends it at once, with no BYE, as a dead battery does.
func (p *Phone) Kill() { p.process.Kill() }

// Stop hangs up all calls and ends it.
func (p *Phone) Stop(ctx context.Context) error {
	told := p.tell(ctx, "quit") // an error if it has ended before its answer was out
	code, err := p.process.Wait(ctx)
	if err != nil {
		return errors.Join(told, err)
	}
	if code != 0 {
		return fmt.Errorf("%s ended with code %d: %s", p.options.Name, code, p.process.Tail(10))
	}
	return nil
}
