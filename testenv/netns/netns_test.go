package netns

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/tools"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashing) != "" {
		crash()
	}
	goleak.VerifyTestMain(m)
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newSet(t *testing.T) *Set {
	t.Helper()
	tools.NeedNamespaces(t)
	s, err := New(t.Context())
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// SPEC OP2: nodes have addresses of their own, and the same ports.
func TestHostsOnABridge(t *testing.T) {
	ctx, s := t.Context(), newSet(t)
	gateway, err := s.Add(ctx, "gateway")
	must(t, err, gateway.AddBridge(ctx, "lan", netip.MustParsePrefix("10.1.0.254/16")))
	var hosts []*Namespace
	for i, address := range []string{"10.1.0.1/16", "10.1.0.2/16"} {
		host, err := s.Add(ctx, []string{"one", "two"}[i])
		must(t, err, gateway.Attach(ctx, "lan", host, netip.MustParsePrefix(address), netip.MustParseAddr("10.1.0.254")))
		hosts = append(hosts, host)
	}
	one, err := hosts[0].ListenUDP(netip.MustParseAddrPort("10.1.0.1:5060"))
	must(t, err)
	defer one.Close()
	two, err := hosts[1].ListenUDP(netip.MustParseAddrPort("10.1.0.2:5060"))
	must(t, err)
	defer two.Close()
	_, err = one.WriteToUDPAddrPort([]byte("hello"), netip.MustParseAddrPort("10.1.0.2:5060"))
	must(t, err, two.SetReadDeadline(time.Now().Add(time.Minute)))
	b := make([]byte, 16)
	n, from, err := two.ReadFromUDPAddrPort(b)
	must(t, err)
	if string(b[:n]) != "hello" || from.String() != "10.1.0.1:5060" {
		t.Errorf("received %q from %v", b[:n], from)
	}
	if _, err := hosts[0].ListenUDP(netip.MustParseAddrPort("10.1.0.2:5061")); err == nil {
		t.Error("one host has another's address")
	}
	if _, err := hosts[0].DialContext(ctx, "tcp", "localhost:80"); err == nil || !strings.Contains(err.Error(), "numeric") {
		t.Errorf("a name is dialled: %v", err)
	}
}

// A process is inside, and this program is outside again afterwards.
func TestProcessInside(t *testing.T) {
	s := newSet(t)
	n, err := s.Add(t.Context(), "inside")
	must(t, err)
	home, err := os.Readlink("/proc/thread-self/ns/net")
	must(t, err)
	var out strings.Builder
	cmd := exec.Command("readlink", "/proc/self/ns/net")
	cmd.Stdout = &out
	must(t, n.Start(cmd), cmd.Wait())
	var inside string
	must(t, n.Do(func() (err error) {
		inside, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	}))
	after, err := os.Readlink("/proc/thread-self/ns/net")
	must(t, err)
	if got := strings.TrimSpace(out.String()); got != inside || inside == home || after != home {
		t.Errorf("outside %s, a process inside %s, this program inside %s and afterwards %s", home, got, inside, after)
	}
	if err := n.Do(func() error { return errors.New("its own error") }); err == nil || err.Error() != "its own error" {
		t.Errorf("error %v", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	s := newSet(t)
	n, err := s.Add(t.Context(), "short")
	must(t, err)
	cmd := exec.Command("sleep", "600")
	must(t, n.Start(cmd))
	claim, file := s.lock.Name(), s.Path("file")
	must(t, os.WriteFile(file, nil, 0o600), s.Close())
	if err := cmd.Wait(); err == nil {
		t.Error("a process outlives its namespace")
	}
	for _, path := range []string{claim, file, filepath.Join(mounts, n.Name())} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
	must(t, s.Close()) // again
}

// crashing has the test program die with namespaces of its own.
const crashing = "CONCLAVE_TEST_NETNS_CRASH"

func crash() {
	s, err := New(context.Background())
	if err != nil {
		panic(err)
	}
	n, err := s.Add(context.Background(), "orphan")
	if err != nil {
		panic(err)
	}
	cmd := exec.Command("sleep", "600")
	if err := n.Start(cmd); err != nil {
		panic(err)
	}
	if err := os.WriteFile(s.Path("file"), nil, 0o600); err != nil {
		panic(err)
	}
	os.Stdout.WriteString(n.Name() + " " + s.Path("file"))
	os.Exit(3) // no cleanup runs
}

// SPEC OP2: what a crash leaves is removed by the next that starts, and what is alive
// is left alone.
func TestTheDeadAreSwept(t *testing.T) {
	living := newSet(t)
	n, err := living.Add(t.Context(), "living")
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashing+"=1")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("the program that crashes: %v", err)
	}
	orphan, file, _ := strings.Cut(string(out), " ")
	must(t, Sweep(t.Context()))
	for _, path := range []string{file, filepath.Join(mounts, orphan)} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q is left: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(mounts, n.Name())); err != nil {
		t.Errorf("the living owner's namespace: %v", err)
	}
}
