package netns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace: its own interfaces, routes and ports. A nil one is
// the namespace that this program is in, in Do, Start, ListenUDP, ListenTCP and
// DialContext.
type Namespace struct{ name string }

// Find is a namespace that another program may have made, by the name that `ip netns`
// gives it: to work in, while it exists.
func Find(name string) (*Namespace, error) {
	if _, err := os.Stat(filepath.Join(mounts, name)); err != nil {
		return nil, fmt.Errorf("there is no network namespace %s (ip netns list shows all): %w", name, err)
	}
	return &Namespace{name: name}, nil
}

// Name is what `ip netns` calls it.
func (n *Namespace) Name() string { return n.name }

// Do calls f on a thread that is inside the namespace. What f opens or starts itself
// stays in the namespace; goroutines that f starts are not in it.
func (n *Namespace) Do(f func() error) error {
	if n == nil {
		return f()
	}
	inside, err := os.Open(filepath.Join(mounts, n.name))
	if err != nil {
		return fmt.Errorf("open namespace %s: %w", n.name, err)
	}
	defer inside.Close()
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open the thread's own namespace: %w", err)
	}
	defer home.Close()
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter namespace %s: %w", n.name, err)
	}
	defer func() {
		// A thread that cannot go back stays locked, and ends with its goroutine.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

// Start starts a command inside the namespace.
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.Do(cmd.Start) }

// ListenUDP opens a UDP socket at an address of the namespace.
func (n *Namespace) ListenUDP(local netip.AddrPort) (conn *net.UDPConn, err error) {
	err = n.Do(func() error {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
		return err
	})
	return conn, err
}

// ListenTCP listens at an address of the namespace.
func (n *Namespace) ListenTCP(local netip.AddrPort) (listener *net.TCPListener, err error) {
	err = n.Do(func() error {
		listener, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(local))
		return err
	})
	return listener, err
}

// DialContext connects from the namespace, as [net.Dialer.DialContext] does. The
// address must be numeric: names are resolved by goroutines that are elsewhere.
func (n *Namespace) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if _, err := netip.ParseAddrPort(address); err != nil && n != nil {
		return nil, fmt.Errorf("dial %s from namespace %s: the address must be numeric: %w", address, n.name, err)
	}
	err = n.Do(func() error {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Sysctl sets a variable of the namespace, such as "net/ipv4/ip_forward".
func (n *Namespace) Sysctl(path, value string) error {
	err := n.Do(func() error { return os.WriteFile(filepath.Join("/proc/sys", path), []byte(value), 0o644) })
	if err != nil {
		return fmt.Errorf("set %s in %s: %w", path, n.name, err)
	}
	return nil
}
