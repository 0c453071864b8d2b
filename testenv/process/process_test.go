package process

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestExitCodeAndLog(t *testing.T) {
	p := Start(t, Command{Name: "child", Path: "sh", Args: []string{"-c", "echo $GREETING; exit 3"}, Env: []string{"GREETING=hello"}})
	if code, err := p.Wait(soon(t)); code != 3 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if got := p.Tail(5); got != "hello" {
		t.Errorf("log %q", got)
	}
}

// A child's own children die with it.
func TestTheWholeGroupDies(t *testing.T) {
	var grandchild int
	t.Run("owner", func(t *testing.T) {
		p := Start(t, Command{Name: "child", Path: "sh", Args: []string{"-c", "sleep 600 & echo $!; wait"}})
		err := p.Poll(soon(t), func() (err error) {
			grandchild, err = strconv.Atoi(strings.TrimSpace(p.Tail(1)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	err := (*Process)(nil).Poll(soon(t), func() error {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(grandchild) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return nil // gone, or only its parent has not looked yet
		}
		return errors.New("the grandchild lives")
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWaitIsBounded(t *testing.T) {
	p := Start(t, Command{Name: "child", Path: "sleep", Args: []string{"600"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if p.Running() {
		t.Error("it still runs")
	}
}

func TestStopIsAskedForFirst(t *testing.T) {
	p := Start(t, Command{Name: "child", Path: "sh", Args: []string{"-c", `trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done`}})
	if err := p.Poll(soon(t), func() error {
		if p.Tail(1) != "ready" {
			return errors.New("not ready")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Stop(soon(t)); code != 7 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func TestPollEndsWithTheProcess(t *testing.T) {
	p := Start(t, Command{Name: "child", Path: "sh", Args: []string{"-c", "echo farewell"}})
	err := p.Poll(t.Context(), func() error { return syscall.EAGAIN })
	if !errors.Is(err, syscall.EAGAIN) || !strings.Contains(err.Error(), "farewell") {
		t.Errorf("error %v", err)
	}
}
