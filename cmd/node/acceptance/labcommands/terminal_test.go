package labcommands

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// user is somebody with terminals, and a directory for one lab.
type user struct {
	*testing.T
	ctx     context.Context
	program string
	dir     string
}

// newUser takes a lab down at the test's end, whatever happened.
func newUser(t *testing.T) *user {
	t.Helper()
	tools.NeedNamespaces(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	u := &user{t, ctx, node.Several(t), filepath.Join(t.TempDir(), "lab")}
	t.Cleanup(func() {
		if _, err := os.Stat(u.dir); err != nil {
			return
		}
		last, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		out, err := u.command(last, "down").CombinedOutput()
		t.Logf("the lab was left to the end of the test: %s %v", out, err)
	})
	return u
}

func (u *user) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, u.program, append([]string{"lab"}, args...)...)
	cmd.Env = append(os.Environ(), "CONCLAVE_LAB="+u.dir)
	return cmd
}

// does runs a command that must succeed, and returns what it printed.
func (u *user) does(args ...string) string {
	u.Helper()
	out, err := u.tries(args...)
	if err != nil {
		u.Fatalf("node lab %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// tries runs a command; the error is what it said.
func (u *user) tries(args ...string) (string, error) {
	cmd := u.command(u.ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), errors.Join(err, errors.New(errs.String()))
	}
	return out.String(), nil
}

// isTold runs a command that must fail, and say why.
func (u *user) isTold(why string, args ...string) {
	u.Helper()
	if out, err := u.tries(args...); err == nil || !strings.Contains(err.Error(), why) {
		u.Errorf("node lab %s: %v, want %q\n%s", strings.Join(args, " "), err, why, out)
	}
}

// sees looks at a command's output until it matches.
func (u *user) sees(pattern string, args ...string) {
	u.Helper()
	wanted := regexp.MustCompile(pattern)
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		out, err := u.tries(args...)
		if err == nil && wanted.MatchString(out) {
			return
		}
		select {
		case <-ticker.C:
		case <-u.ctx.Done():
			u.Fatalf("node lab %s never showed %q: %v\n%s", strings.Join(args, " "), pattern, err, out)
		}
	}
}

// terminal is one in which a command goes on.
type terminal struct {
	u     *user
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of its end

	mu    sync.Mutex
	text  bytes.Buffer
	fresh chan struct{} // closed when there is more text
}

// opens runs a command in a terminal of its own. It is killed with the test.
func (u *user) opens(args ...string) *terminal {
	u.Helper()
	t := &terminal{u: u, name: "node lab " + strings.Join(args, " "), cmd: u.command(u.ctx, args...),
		ended: make(chan struct{}), fresh: make(chan struct{})}
	t.cmd.Stdout, t.cmd.Stderr = t, t
	if err := t.cmd.Start(); err != nil {
		u.Fatal(err)
	}
	go func() {
		t.err = t.cmd.Wait()
		close(t.ended)
	}()
	u.Cleanup(func() {
		_ = t.cmd.Process.Kill() // it may have ended
		<-t.ended
	})
	return t
}

// Write takes what the command prints.
func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.fresh)
	t.fresh = make(chan struct{})
	return t.text.Write(b)
}

func (t *terminal) read() (string, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String(), t.fresh
}

// shows waits until the terminal shows a text.
func (t *terminal) shows(text string) {
	t.u.Helper()
	for {
		all, more := t.read()
		if strings.Contains(all, text) {
			return
		}
		select {
		case <-more:
		case <-t.ended:
			if all, _ := t.read(); !strings.Contains(all, text) {
				t.u.Fatalf("%s ended (%v) and never showed %q:\n%s", t.name, t.err, text, all)
			}
			return
		case <-t.u.ctx.Done():
			t.u.Fatalf("%s never showed %q:\n%s", t.name, text, all)
		}
	}
}

// interrupted has Ctrl-C pressed, and returns all that the terminal has shown at the
// command's end, which must be a good one.
func (t *terminal) interrupted() string {
	t.u.Helper()
	if err := t.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.u.Fatalf("%s: %v", t.name, err)
	}
	<-t.ended
	all, _ := t.read()
	if t.err != nil {
		t.u.Errorf("%s: %v\n%s", t.name, t.err, all)
	}
	return all
}
