package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/testenv/netns"
)

// Command is how a program is run.
type Command struct {
	Path string
	Args []string // without the program itself
	Env  []string // NAME=value, added to this program's environment
	// Ready is where /readyz is asked for, as seen from the node itself; empty: its
	// address, port 8080.
	Ready netip.AddrPort
}

func (c Command) withDefaults(n Node) Command {
	if !c.Ready.IsValid() {
		c.Ready = n.At(HTTPPort)
	}
	return c
}

// Process is the process of a node, which runs, is paused, or has ended and may be
// started again.
type Process struct {
	Node
	Log string // the path of the file with what it has written since its first start

	namespace *netns.Namespace
	command   Command
	log       hclog.Logger
	client    *http.Client

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended; nil before the first start
	code   int           // its exit code, to be read after ended is closed; -1: a signal
	paused bool
}

func newProcess(n Node, namespace *netns.Namespace, c Command, log hclog.Logger) *Process {
	return &Process{Node: n, Log: n.Dir + ".log", namespace: namespace, command: c.withDefaults(n), log: log,
		client: &http.Client{Transport: &http.Transport{DialContext: namespace.DialContext, DisableKeepAlives: true}, Timeout: 10 * time.Second}}
}

// Start starts the node. It may not be ready yet: see WaitReady.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("start %s: it runs already: stop or kill it first", p.Name)
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	out, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.Name, err)
	}
	defer out.Close() // the child has its own copy
	cmd := p.command.build()
	cmd.Stdout, cmd.Stderr = out, out
	if err := p.namespace.Start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.cmd, p.ended, p.paused = cmd, make(chan struct{}), false
	go p.wait(cmd, p.ended)
	return nil
}

// build makes the child die with this program, and its children with it.
func (c Command) build() *exec.Cmd {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// wait sees the process end. It is ended by Kill at the latest, which Close calls.
func (p *Process) wait(cmd *exec.Cmd, ended chan struct{}) {
	err := cmd.Wait()
	p.log.Info("a node has ended", "node", p.Name, "how", cmd.ProcessState, "error", err)
	p.code = cmd.ProcessState.ExitCode()
	close(ended)
}

// running wants mu.
func (p *Process) running() bool {
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Running reports whether the process has not ended; a paused one has not.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

// PID is the process's id; 0 if it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}

// State is running, paused or ended.
func (p *Process) State() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.running():
		return "ended"
	case p.paused:
		return "paused"
	}
	return "running"
}

// signal sends a signal to the process and its children. mu is held.
func (p *Process) signal(s syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("send %v to %s: it does not run", s, p.Name)
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		return fmt.Errorf("send %v to %s: %w", s, p.Name, err)
	}
	return nil
}

// Pause stops the process where it is (SIGSTOP), as a machine that hangs.
func (p *Process) Pause() error { return p.pause(true, syscall.SIGSTOP) }

// Resume lets it go on (SIGCONT).
func (p *Process) Resume() error { return p.pause(false, syscall.SIGCONT) }

func (p *Process) pause(on bool, s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.signal(s)
	if err == nil {
		p.paused = on
	}
	return err
}

// Kill kills the process and its children at once, as a crash does (SIGKILL), and waits
// for its end. One that has ended stays so.
func (p *Process) Kill() {
	p.mu.Lock()
	ended := p.ended
	_ = p.signal(syscall.SIGKILL) // or it has ended
	p.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// lastWords is how long a node that does not stop has to write down where it stands.
const lastWords = 5 * time.Second

// Stop asks the node to end (SIGTERM), and waits for it. When ctx ends first it is made to
// write its goroutines into its log (SIGQUIT), and killed. Another exit code than 0 is an
// error.
func (p *Process) Stop(ctx context.Context) error {
	p.mu.Lock()
	err := p.signal(syscall.SIGTERM)
	ended := p.ended
	p.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-ended:
	case <-ctx.Done():
		p.mu.Lock()
		_ = p.signal(syscall.SIGQUIT) // or it has ended
		p.mu.Unlock()
		select {
		case <-ended:
		case <-time.After(lastWords):
			p.Kill()
		}
		return fmt.Errorf("stop %s: %w; see %s", p.Name, context.Cause(ctx), p.Log)
	}
	if p.code != 0 {
		return fmt.Errorf("stop %s: exit code %d; see %s", p.Name, p.code, p.Log)
	}
	return nil
}

// Restart starts a node that has ended again, with its addresses and data, and waits
// until it is ready.
func (p *Process) Restart(ctx context.Context) error {
	if err := p.Start(); err != nil {
		return err
	}
	return p.WaitReady(ctx)
}

// readyEvery is how often a node is asked whether it is ready.
const readyEvery = 50 * time.Millisecond

// WaitReady waits until /readyz answers 200, asked from the node's own namespace, so
// that no cut is in the way. It fails at once when the node has ended.
func (p *Process) WaitReady(ctx context.Context) error {
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	for {
		_, err := p.Get(ctx, "/readyz")
		if err == nil {
			return nil
		}
		if !p.Running() {
			return fmt.Errorf("%s has ended before it was ready; see %s", p.Name, p.Log)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is ready: %w: %w", p.Name, context.Cause(ctx), err)
		}
	}
}

// Wipe removes the data of a node that does not run, as a new disk does. Its certificates
// are elsewhere, and stay.
func (p *Process) Wipe() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("wipe %s: it runs: stop or kill it first", p.Name)
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		return fmt.Errorf("wipe %s: %w", p.Name, err)
	}
	return nil
}

// Client makes HTTP requests from the node's own namespace.
func (p *Process) Client() *http.Client { return p.client }

// URL is where the node's API is, for Client.
func (p *Process) URL() string { return "http://" + p.command.Ready.String() }

// Get reads a page of the node, such as /metrics; another status than 200 is an error.
func (p *Process) Get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+path, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, p.Name, err)
	}
	res, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, p.Name, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, p.Name, err)
	}
	return body, nil
}
