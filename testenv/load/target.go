package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Target is a node that the tool has started for itself: `node dev` with one processor
// and a fresh store.
type Target struct {
	SIP   netip.AddrPort
	api   string
	pprof string
	dir   string
	cmd   *exec.Cmd
	done  chan error
	log   *os.File
}

// StartTarget starts the program at path on the processor cpu (below 0: on any), and
// waits until it is ready. Rooms are made for it with AddRooms.
func StartTarget(ctx context.Context, path string, cpu int, sip, http netip.AddrPort, rtp string) (*Target, error) {
	dir, err := os.MkdirTemp("", "conclave-load-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the node: %w", err)
	}
	profiles := netip.AddrPortFrom(http.Addr(), http.Port()+1).String()
	t := &Target{SIP: sip, api: "http://" + http.String(), pprof: "http://" + profiles + "/debug/pprof/", dir: dir, done: make(chan error, 1)}
	if t.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("make the node's log: %w", err)
	}
	args := []string{path, "dev", "--data", filepath.Join(dir, "data"), "--sip", sip.String(), "--http", http.String(), "--rtp", rtp, "--log-level", "warn", "--profiling", profiles}
	if cpu >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, args...)
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
		if res, err := http.Get(t.api + "/readyz"); err == nil {
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.pprof+what, nil)
	if err != nil {
		return fmt.Errorf("profile %s: %w", what, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("profile %s: %w", what, err)
	}
	defer res.Body.Close()
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("profile %s: %w", what, err)
	}
	_, err = io.Copy(f, res.Body)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("profile %s: %w", what, err)
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

// AddRooms makes rooms without announcements, and money for all who will be in them.
func (t *Target) AddRooms(ctx context.Context, n int) (codes []string, err error) {
	if err := t.post(ctx, "/accounts/conf1234/top-ups", map[string]any{"amount": "100000.00", "reason": "load"}); err != nil {
		return nil, err
	}
	for i := range n {
		code := strconv.Itoa(5000000 + i)
		room := map[string]any{"account": "conf1234", "name": "load " + code, "guestCode": code, "entrySound": "none", "exitSound": "none", "announceCount": false}
		if err := t.post(ctx, "/rooms", room); err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}

func (t *Target) post(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.api+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		said, _ := io.ReadAll(res.Body)
		return fmt.Errorf("post %s: %s: %s", path, res.Status, said)
	}
	return nil
}

// Figures are what the node says of itself, and the system of it.
type Figures struct {
	Participants   int
	LateTicks      uint64
	SkippedTicks   uint64
	CPU            time.Duration // since its start
	Memory         int64         // resident, in octets
	BusyInMixing   time.Duration
	FilesAndSocket int
}

// Figures reads them now.
func (t *Target) Figures(ctx context.Context) (f Figures, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.api+"/metrics", nil)
	if err != nil {
		return f, fmt.Errorf("read the node's metrics: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return f, fmt.Errorf("read the node's metrics: %w", err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, _ := strconv.ParseFloat(text, 64) // comments have none
		switch name {
		case "conclave_participants":
			f.Participants = int(value)
		case "conclave_media_ticks_late_total":
			f.LateTicks = uint64(value)
		case "conclave_media_ticks_skipped_total":
			f.SkippedTicks = uint64(value)
		case "conclave_media_busy_seconds_total":
			f.BusyInMixing = time.Duration(value * float64(time.Second))
		case "process_cpu_seconds_total":
			f.CPU = time.Duration(value * float64(time.Second))
		case "process_resident_memory_bytes":
			f.Memory = int64(value)
		case "process_open_fds":
			f.FilesAndSocket = int(value)
		}
	}
	return f, nil
}
