package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// phone has the signalling of all callers: no more of RFC 3261 than a caller over UDP
// needs that dials, is answered, and hangs up or is hung up on.
type phone struct {
	options Options
	conn    *net.UDPConn
	audio   *audio

	mu       sync.Mutex
	calls    map[string]*dialled // by Call-ID
	ok       int
	failed   int
	problems []string
}

// dialled is one call.
type dialled struct {
	n        int
	id, tag  string
	status   int // of the final response; 0: none yet
	remote   string
	sent     time.Time // the INVITE, for its repetition
	tries    int
	over     bool
	rtp      uint16 // the node's port, from its SDP
	answered time.Time
}

func openPhone(o Options, a *audio) (*phone, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: o.Local.AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("open a socket for SIP: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	return &phone{options: o, conn: conn, audio: a, calls: map[string]*dialled{}}, nil
}

func (p *phone) close() { p.conn.Close() }

// callAll dials at the pace asked for, and waits until each has a final response.
func (p *phone) callAll(ctx context.Context) error {
	pace := time.NewTicker(time.Duration(float64(time.Second) / p.options.Rate))
	defer pace.Stop()
	for n := range p.options.Callers {
		select {
		case <-pace.C:
			p.dial(n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for p.pending() > 0 && time.Now().Before(deadline) {
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		p.repeat()
	}
	if n := p.pending(); n > 0 {
		return fmt.Errorf("%d calls had no final response within 30 s", n)
	}
	return nil
}

func (p *phone) pending() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if c.status == 0 {
			n++
		}
	}
	return n
}

func (p *phone) answered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ok
}

func (p *phone) dial(n int) {
	c := &dialled{n: n, id: fmt.Sprintf("load-%d-%d", n, time.Now().UnixNano()), tag: strconv.Itoa(n)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[c.id] = c
	p.invite(c)
}

// invite sends the INVITE, for the first time or again (RFC 3261 section 17.1.1.2).
func (p *phone) invite(c *dialled) {
	c.sent = time.Now()
	c.tries++
	sdp := fmt.Sprintf("v=0\r\no=- %d 1 IN IP4 %[2]s\r\ns=-\r\nc=IN IP4 %[2]s\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n",
		c.n+1, p.options.Local, p.audio.port())
	p.send(c, "INVITE", 1, c.remoteTo(p.uri()), "Content-Type: application/sdp\r\n", sdp)
}

// repeat sends the INVITEs again that have had no answer.
func (p *phone) repeat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if c.status == 0 && time.Since(c.sent) > 500*time.Millisecond<<min(c.tries-1, 5) {
			p.invite(c)
		}
	}
}

func (p *phone) uri() string { return fmt.Sprintf("sip:%s@%s", p.options.Number, p.options.SIP) }

// remoteTo is the To of a request.
func (c *dialled) remoteTo(uri string) string {
	if c.remote == "" {
		return "<" + uri + ">"
	}
	return c.remote
}

func (p *phone) send(c *dialled, method string, cseq int, to, headers, body string) {
	local := p.conn.LocalAddr()
	text := fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[4]s%[1]s\r\nMax-Forwards: 70\r\nFrom: <sip:load%[5]d@%[3]s>;tag=%[6]s\r\nTo: %[7]s\r\n"+
		"Call-ID: %[4]s\r\nCSeq: %[8]d %[1]s\r\nContact: <sip:load%[5]d@%[3]s>\r\n%[9]sContent-Length: %[10]d\r\n\r\n%[11]s",
		method, p.uri(), local, c.id, c.n, c.tag, to, cseq, headers, len(body), body)
	_, _ = p.conn.WriteToUDPAddrPort([]byte(text), p.options.SIP) // a lost datagram is sent again
}

// run reads what the node sends until the socket is closed.
func (p *phone) run(ctx context.Context) error {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("read SIP: %w", err)
		}
		p.take(string(buf[:n]))
	}
}

// take handles one message.
func (p *phone) take(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[header(text, "Call-ID")]
	if c == nil {
		return
	}
	first, _, _ := strings.Cut(text, "\r\n")
	if status, isResponse := strings.CutPrefix(first, "SIP/2.0 "); isResponse {
		code, _ := strconv.Atoi(status[:min(3, len(status))])
		if strings.HasSuffix(header(text, "CSeq"), "INVITE") && code >= 200 {
			p.final(c, code, text, first)
		}
		return
	}
	p.answer(c, text, first)
}

// final takes the final response to the INVITE.
func (p *phone) final(c *dialled, code int, text, first string) {
	c.remote = header(text, "To")
	p.send(c, "ACK", 1, c.remote, "", "")
	if c.status != 0 {
		return // a repetition
	}
	c.status, c.answered = code, time.Now()
	if code >= 300 {
		p.failed++
		p.problem(fmt.Sprintf("caller %d: %s", c.n, first))
		return
	}
	p.ok++
	c.rtp = mediaPort(text)
	p.audio.add(c.n, c.rtp, p.options.Codes[c.n/p.options.RoomSize])
}

// answer answers a request of the node: it hangs up, or asks whether we are there.
func (p *phone) answer(c *dialled, text, first string) {
	var b strings.Builder
	b.WriteString("SIP/2.0 200 OK\r\n")
	for _, line := range strings.Split(text, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "via", "from", "to", "call-id", "cseq":
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	_, _ = p.conn.WriteToUDPAddrPort([]byte(b.String()), p.options.SIP)
	if strings.HasPrefix(first, "BYE") && !c.over {
		c.over = true
		p.failed++
		p.problem(fmt.Sprintf("caller %d was hung up on after %v: %s", c.n, time.Since(c.answered).Round(time.Millisecond), header(text, "Reason")))
		p.audio.remove(c.rtp)
	}
}

// maxProblems is how many are told in words.
const maxProblems = 5

func (p *phone) problem(text string) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, text)
	}
}

// hangUpAll ends the calls, at the pace of dialling.
func (p *phone) hangUpAll(ctx context.Context) {
	p.mu.Lock()
	var list []*dialled
	for _, c := range p.calls {
		if c.status == 200 && !c.over {
			c.over = true
			list = append(list, c)
		}
	}
	p.mu.Unlock()
	for _, c := range list {
		p.audio.remove(c.rtp)
		p.send(c, "BYE", 2, c.remote, "", "")
		if sleep(ctx, time.Duration(float64(time.Second)/p.options.Rate/4)) != nil {
			return
		}
	}
}

// header is the value of a header field that is there once.
func header(text, name string) string {
	for _, line := range strings.Split(text, "\r\n") {
		if field, value, found := strings.Cut(line, ":"); found && strings.EqualFold(field, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// mediaPort is the port of the first stream.
func mediaPort(text string) uint16 {
	_, rest, _ := strings.Cut(text, "\r\nm=audio ")
	number, _, _ := strings.Cut(rest, " ")
	port, _ := strconv.ParseUint(number, 10, 16) // 0 has no audio, which shows
	return uint16(port)
}
