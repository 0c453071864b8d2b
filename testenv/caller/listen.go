package caller

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// openMedia opens a socket whose packets come with the kernel's time of their arrival,
// so that a busy test does not hear gaps that are its own.
func (p *Phone) openMedia() (*net.UDPConn, error) {
	conn, err := p.options.Listen(netip.AddrPortFrom(p.options.Address, 0))
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		var failed error
		err = raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
		})
		err = errors.Join(err, failed)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func udpPort(conn *net.UDPConn) int { return conn.LocalAddr().(*net.UDPAddr).Port }

// arrival reads SCM_TIMESTAMPNS, a control message with a timespec. Without it, it is
// now.
func arrival(control []byte) time.Time {
	const head, timespec = unix.SizeofCmsghdr, 16
	if len(control) < head+timespec || binary.NativeEndian.Uint32(control[12:]) != unix.SCM_TIMESTAMPNS {
		return time.Now()
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(control[head:])), int64(binary.NativeEndian.Uint64(control[head+8:])))
}

// maxAudio is the largest packet of RTP that is read whole.
const maxAudio = 2048

// listen takes audio until the call has ended.
func (c *Call) listen() error {
	buffer, control := make([]byte, maxAudio), make([]byte, 64)
	for {
		n, controls, _, from, err := c.media.ReadMsgUDPAddrPort(buffer, control)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // an ICMP error about a packet of ours: the node may be away for a while
		}
		c.hear(buffer[:n], arrival(control[:controls]), from)
	}
}

// hear takes a packet.
func (c *Call) hear(b []byte, at time.Time, from netip.AddrPort) {
	var packet rtp.Packet
	if packet.Unmarshal(b) != nil || packet.PayloadType != uint8(pcap.PCMU) {
		return
	}
	audio := make([]int16, len(packet.Payload))
	for i, b := range packet.Payload {
		audio[i] = linear(b)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ear.take(at, from, packet.SSRC, audio)
}
