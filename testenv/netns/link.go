package netns

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

const tunPath = "/dev/net/tun"

// ip runs iproute2 and returns what it printed. input is for its batch mode.
func ip(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "ip", args...)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// IP runs commands of iproute2 inside the namespace, each without the word "ip", up to
// the first that fails.
func (n *Namespace) IP(ctx context.Context, commands ...string) error {
	if _, err := ip(ctx, strings.Join(commands, "\n")+"\n", "-n", n.name, "-batch", "-"); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(commands, "; "), err)
	}
	return nil
}

// AddBridge makes a bridge with an address: the network of a site.
func (n *Namespace) AddBridge(ctx context.Context, name string, address netip.Prefix) error {
	return n.IP(ctx,
		fmt.Sprintf("link add %s type bridge", name),
		fmt.Sprintf("address add %s dev %s", address, name),
		fmt.Sprintf("link set %s up", name))
}

// Attach joins host to a bridge of n by a veth pair. Its end at host is eth0 with the
// address; all that is not on the bridge goes by the gateway.
func (n *Namespace) Attach(ctx context.Context, bridge string, host *Namespace, address netip.Prefix, gateway netip.Addr) error {
	octets := address.Addr().As4()
	port := fmt.Sprintf("port%d.%d", octets[2], octets[3])
	if err := n.IP(ctx,
		fmt.Sprintf("link add %s type veth peer name eth0 netns %s", port, host.name),
		fmt.Sprintf("link set %s master %s up", port, bridge)); err != nil {
		return err
	}
	return host.IP(ctx,
		fmt.Sprintf("address add %s dev eth0", address),
		"link set eth0 up",
		fmt.Sprintf("route add default via %s", gateway))
}

// tunQueue is how many packets wait in the kernel for a reader that is late; more are
// dropped there, which `ip -s link` tells.
const tunQueue = 4096

// OpenTUN makes a TUN device in the namespace and brings it up: a point-to-point
// interface whose packets are read and written, one for each call, without a header
// of the device. It exists as long as the file is open. mtu is in octets.
func (n *Namespace) OpenTUN(ctx context.Context, name string, mtu int) (*os.File, error) {
	fd := -1
	err := n.Do(func() (err error) {
		if fd, err = unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return fmt.Errorf("open %s: %w", tunPath, err)
		}
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	})
	if err == nil {
		err = n.IP(ctx, fmt.Sprintf("link set %s mtu %d txqueuelen %d up", name, mtu, tunQueue))
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, fmt.Errorf("make TUN device %s in %s: %w", name, n.name, err)
	}
	return os.NewFile(uintptr(fd), tunPath), nil // non-blocking: a Close wakes a reader
}
