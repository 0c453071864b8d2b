package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/netns"
)

// Command is what to run.
type Command struct {
	Name string           // of the log file and in messages, such as "alice"
	Path string           // of the program, or its name in PATH
	Args []string         // without the program itself
	Dir  string           // where it runs; empty for the current directory
	Env  []string         // NAME=value, added to the environment of the test
	In   *netns.Namespace // where it runs; nil: where the test does

	Silent bool // do not show the log's end when the test fails
}

// Process is a running or ended child.
type Process struct {
	name    string
	log     string
	command *exec.Cmd
	ended   chan struct{}
	err     error // of Wait; to be read after ended is closed
}

// Start starts a command. Its log is NAME.log in the test's artifact directory; a
// second process of that name appends to it.
func Start(t testing.TB, c Command) *Process {
	t.Helper()
	p := &Process{name: c.Name, log: filepath.Join(t.ArtifactDir(), c.Name+".log"), ended: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatalf("opening the log of %s: %v", c.Name, err)
	}
	defer out.Close() // the child has its own copy

	p.command = exec.Command(c.Path, c.Args...)
	p.command.Dir = c.Dir
	p.command.Env = append(os.Environ(), c.Env...)
	p.command.Stdout, p.command.Stderr = out, out
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.In.Start(p.command); err != nil {
		t.Fatalf("starting %s: %v", c.Name, err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.command.Wait()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() && !c.Silent {
			t.Logf("the end of %s:\n%s", p.log, p.Tail(40))
		}
	})
	return p
}

// PID is the process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Log is the path of the file with what the program wrote.
func (p *Process) Log() string { return p.log }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(s os.Signal) error {
	if err := p.command.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %v to %s: %w", s, p.name, err)
	}
	return nil
}

// Kill kills the process and its children with SIGKILL, and waits for its end.
func (p *Process) Kill() {
	if p.Running() {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // it may just have ended
	}
	<-p.ended
}

// Wait waits for the end of the process and returns its exit code, which is -1
// after a signal. When ctx ends first, the process is killed.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.Kill()
		return -1, fmt.Errorf("%s did not end: %w", p.name, context.Cause(ctx))
	}
	if exit := (*exec.ExitError)(nil); p.err != nil && !errors.As(p.err, &exit) {
		return -1, fmt.Errorf("waiting for %s: %w", p.name, p.err)
	}
	return p.command.ProcessState.ExitCode(), nil
}

// Stop sends SIGTERM and waits like [Process.Wait].
func (p *Process) Stop(ctx context.Context) (int, error) {
	if p.Running() {
		if err := p.Signal(syscall.SIGTERM); err != nil && p.Running() {
			return -1, err
		}
	}
	return p.Wait(ctx)
}

// tailBytes bounds what Tail reads.
const tailBytes = 64 << 10

// Tail returns the last lines of the log.
func (p *Process) Tail(lines int) string {
	file, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = file.Seek(-tailBytes, io.SeekEnd)
	}
	content, _ := io.ReadAll(file)
	all := strings.Split(string(bytes.TrimRight(content, "\n")), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Poll calls look every 20 ms until it returns nil, and returns its last error
// when ctx ends first, or at once when the process has ended (nil *Process: is
// not watched). It is for what gives no event: a file, a port, a page.
func (p *Process) Poll(ctx context.Context, look func() error) error {
	var ended <-chan struct{}
	if p != nil {
		ended = p.ended
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ended:
			return fmt.Errorf("%s has ended: %w; its last words:\n%s", p.name, err, p.Tail(15))
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
