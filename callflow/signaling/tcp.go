package signaling

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// tcpConn is a TCP connection, accepted or made. Reads have two time limits: one
// between messages, and a shorter one inside a message.
type tcpConn struct {
	conn          net.Conn
	near, far     netip.AddrPort
	idle, message time.Duration
	writing       sync.Mutex
	closed        atomic.Bool
	messagesSoFar int // owned by the reader
}

func newTCPConn(c net.Conn, l Limits) *tcpConn {
	return &tcpConn{
		conn: c,
		near: unmap(c.LocalAddr().(*net.TCPAddr).AddrPort()),
		far:  unmap(c.RemoteAddr().(*net.TCPAddr).AddrPort()),
		idle: l.IdleTimeout, message: l.MessageTimeout,
	}
}

func (c *tcpConn) network() string        { return "TCP" }
func (c *tcpConn) local() netip.AddrPort  { return c.near }
func (c *tcpConn) remote() netip.AddrPort { return c.far }
func (c *tcpConn) alive() bool            { return !c.closed.Load() }
func (c *tcpConn) LocalAddr() net.Addr    { return c.conn.LocalAddr() }
func (c *tcpConn) Ref(int) int            { return 1 }
func (c *tcpConn) TryClose() (int, error) { return 1, nil }

func (c *tcpConn) Close() error {
	c.closed.Store(true)
	return c.conn.Close()
}

func (c *tcpConn) WriteMsg(m sip.Message) error { return c.send(encode(m)) }

// send closes the connection when the peer does not read: half a message may be
// out, and nothing could follow it.
func (c *tcpConn) send(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.message)); err != nil {
		return err
	}
	_, err := c.conn.Write(b)
	if err != nil {
		c.Close()
	}
	return err
}

// Errors that end a connection. The peer is told where that is possible.
var (
	errTooLarge = errors.New("message too large")
	errNoLength = errors.New("message without a Content-Length that can be read")
)

// serve reads messages until the connection ends. A message that cannot be framed
// is passed on as far as it goes, with the reason.
func (c *tcpConn) serve(receive func([]byte, flow) bool, broken func([]byte, error)) {
	defer c.Close()
	r := bufio.NewReaderSize(c.conn, 8192)
	for {
		raw, err := c.next(r)
		if err != nil {
			if errors.Is(err, errTooLarge) || errors.Is(err, errNoLength) {
				broken(raw, err)
			}
			return
		}
		if !receive(raw, c) {
			return
		}
		c.messagesSoFar++
	}
}

// next reads one message (RFC 3261 section 18.3), and answers keep-alives before
// it (RFC 5626 section 3.5.1).
func (c *tcpConn) next(r *bufio.Reader) ([]byte, error) {
	wait := c.idle
	if c.messagesSoFar == 0 {
		wait = c.message // who connects has something to say
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	if err := c.keepAlive(r); err != nil {
		return nil, err
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(c.message)); err != nil {
		return nil, err
	}
	var raw []byte
	for {
		line, err := r.ReadSlice('\n')
		raw = append(raw, line...)
		if len(raw) > maxMessage {
			return raw, errTooLarge
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return raw, err
		}
		if bytes.HasSuffix(raw, []byte("\r\n\r\n")) {
			break
		}
	}
	length, ok := contentLength(raw)
	if !ok {
		return raw, errNoLength
	}
	if length > maxMessage-len(raw) {
		return raw, errTooLarge
	}
	head := len(raw)
	raw = append(raw, make([]byte, length)...)
	_, err := io.ReadFull(r, raw[head:])
	return raw, err
}

// keepAlive takes line breaks before a message; two of them are a ping.
func (c *tcpConn) keepAlive(r *bufio.Reader) error {
	breaks := 0
	for {
		b, err := r.Peek(1)
		if err != nil {
			return err
		}
		if b[0] != '\r' && b[0] != '\n' {
			return nil
		}
		if _, err := r.Discard(1); err != nil {
			return err
		}
		if b[0] == '\n' {
			breaks++
		}
		if breaks == 2 {
			breaks = 0
			if err := c.send([]byte("\r\n")); err != nil {
				return err
			}
			if err := c.conn.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
				return err
			}
		}
	}
}

// contentLength finds the one thing that framing needs.
func contentLength(head []byte) (int, bool) {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if ok && fieldKey(strings.TrimSpace(name)) == "content-length" {
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
			return int(n), err == nil
		}
	}
	return 0, false
}

// acceptPause is how long accept waits after an error, such as too many open files.
const acceptPause = 50 * time.Millisecond

// acceptAll accepts until the listener is closed; no other error ends it.
func acceptAll(l net.Listener, stop <-chan struct{}, accepted func(net.Conn), failed func(error)) {
	for {
		c, err := l.Accept()
		if err == nil {
			accepted(c)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		failed(err)
		select {
		case <-stop:
			return
		case <-time.After(acceptPause):
		}
	}
}
