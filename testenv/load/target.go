package load

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Target is a node that the tool has started for itself: `node dev` with one processor
// and a fresh store.
type Target struct {
	SIP    netip.AddrPort
	client *http.Client // each question has a connection of its own: none stays open in the node, to be counted
	api    string
	pprof  string
	dir    string
	cmd    *exec.Cmd
	done   chan error
	log    *os.File
}

// TargetOptions say how to start the node.
type TargetOptions struct {
	Program   string
	CPU       int            // below 0: any
	SIP, HTTP netip.AddrPort // on the port after that of HTTP there are profiles
	RTP       string         // ports, "FIRST-LAST"
}

// StartTarget starts a node and waits until it is ready. Rooms are made for it with
// AddRooms.
func StartTarget(ctx context.Context, o TargetOptions) (*Target, error) {
	dir, err := os.MkdirTemp("", "conclave-load-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the node: %w", err)
	}
	profiles := netip.AddrPortFrom(o.HTTP.Addr(), o.HTTP.Port()+1).String()
	t := &Target{SIP: o.SIP, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, api: "http://" + o.HTTP.String(), pprof: "http://" + profiles + "/debug/pprof/", dir: dir, done: make(chan error, 1)}
	if t.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("make the node's log: %w", err)
	}
	args := []string{o.Program, "dev", "--data", filepath.Join(dir, "data"), "--sip", o.SIP.String(), "--http", o.HTTP.String(), "--rtp", o.RTP,
		"--log-level", "warn", "--profiling", profiles}
	if o.CPU >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(o.CPU)}, args...)
	}
	t.cmd = exec.Command(args[0], args[1:]...)
	t.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	t.cmd.Stdout, t.cmd.Stderr = t.log, t.log
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := t.cmd.Start(); err != nil {
		t.remove()
		return nil, fmt.Errorf("start the node: %w", err)
	}
	go func() { t.done <- t.cmd.Wait() }()
	if err := t.awaitReady(ctx); err != nil {
		said, _ := os.ReadFile(t.log.Name())
		t.Stop()
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return t, nil
}

func (t *Target) awaitReady(ctx context.Context) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		if res, err := t.client.Get(t.api + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-t.done:
			t.done <- err
			return fmt.Errorf("the node ended: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the node is not ready after 30 s")
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Profile writes one of the node's profiles to a file: "heap", "goroutine", or
// "profile?seconds=10" for where the processor's time goes in so many seconds.
func (t *Target) Profile(ctx context.Context, what, path string) error {
	body, err := t.request(ctx, http.MethodGet, t.pprof+what, nil)
	if err == nil {
		err = os.WriteFile(path, body, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the profile %s: %w", what, err)
	}
	return nil
}

// Stop ends the node and removes its data.
func (t *Target) Stop() {
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // or it has ended
	select {
	case <-t.done:
	case <-time.After(20 * time.Second):
		_ = t.cmd.Process.Kill()
		<-t.done
	}
	t.remove()
}

func (t *Target) remove() {
	t.log.Close()
	os.RemoveAll(t.dir)
}
