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
	options    Options
	conn       *net.UDPConn
	audio      *audio
	attendance *attendance

	mu    sync.Mutex
	calls map[string]*call // by Call-ID; those that are over are not kept
	seats map[int]*call    // the one that a seat has
	count Calls
}

// Calls counts what became of calls.
type Calls struct {
	Begun, Answered int
	Failed          int      // refused, hung up by the node, or without a response
	Up              int      // at the moment
	Problems        []string // the first few failures, in words
}

// maxProblems is how many are told in words.
const maxProblems = 5

func openPhone(o Options, audio *audio, attendance *attendance) (*phone, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: o.Local.AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("open a socket for SIP: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	return &phone{options: o, conn: conn, audio: audio, attendance: attendance, calls: map[string]*call{}, seats: map[int]*call{}}, nil
}

func (p *phone) close() { p.conn.Close() }

// told is what became of the calls so far.
func (p *phone) told() Calls {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := p.count
	count.Problems = append([]string(nil), count.Problems...)
	return count
}

// dial begins a call of a seat that has none.
func (p *phone) dial(s *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &call{seat: s, id: fmt.Sprintf("load-%d-%d", s.n, time.Now().UnixNano()), tag: strconv.Itoa(s.n), to: "<" + p.uri() + ">"}
	p.calls[c.id], p.seats[s.n] = c, c
	p.count.Begun++
	sdp := c.offer(p.options.Local.String(), p.audio.port())
	p.request(c, c.message("INVITE", 1, p.local(), p.uri(), "Content-Type: application/sdp\r\n", sdp))
}

// hangUp ends the call of a seat, if it talks.
func (p *phone) hangUp(s *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.seats[s.n]
	if c == nil || c.state != talking {
		return
	}
	c.state = leavingCall
	p.count.Up--
	p.attendance.went(s, time.Now())
	p.audio.remove(c.rtp)
	p.request(c, c.message("BYE", 2, p.local(), p.uri(), "", ""))
}

// busy says whether a seat has a call that is not over.
func (p *phone) busy(s *seat) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seats[s.n] != nil
}

// pending is how many requests wait for a response.
func (p *phone) pending() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if c.pending() {
			n++
		}
	}
	return n
}

// maxTries is how often a request is sent before its call has failed.
const maxTries = 10

// repeat sends the requests again that have had no response.
func (p *phone) repeat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if !c.due(now) {
			continue
		}
		if c.tries == maxTries {
			method, _, _ := strings.Cut(c.request, " ")
			p.fail(c, fmt.Sprintf("%v: no response to %s", c.seat, method))
			continue
		}
		p.write(c)
	}
}

func (p *phone) uri() string   { return fmt.Sprintf("sip:%s@%s", p.options.Number, p.options.SIP) }
func (p *phone) local() string { return p.conn.LocalAddr().String() }

// request sends a request for the first time.
func (p *phone) request(c *call, text string) {
	c.request, c.tries = text, 0
	p.write(c)
}

func (p *phone) write(c *call) {
	c.sent = time.Now()
	c.tries++
	p.send(c.request)
}

// send sends a message. A datagram that is lost is sent again.
func (p *phone) send(text string) {
	_, _ = p.conn.WriteToUDPAddrPort([]byte(text), p.options.SIP)
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

// take handles one message. What belongs to no call is answered too, for the node may
// repeat the BYE of one that is over.
func (p *phone) take(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[header(text, "Call-ID")]
	first, _, _ := strings.Cut(text, "\r\n")
	status, isResponse := strings.CutPrefix(first, "SIP/2.0 ")
	if !isResponse {
		p.asked(c, text, first)
		return
	}
	code, _ := strconv.Atoi(status[:min(3, len(status))])
	if c == nil || code < 200 {
		return
	}
	if strings.HasSuffix(header(text, "CSeq"), "INVITE") {
		p.final(c, code, text, first)
	} else if c.state == leavingCall {
		p.forget(c)
	}
}

// final takes the final response to the INVITE, which may be repeated.
func (p *phone) final(c *call, code int, text, first string) {
	c.to = header(text, "To")
	p.send(c.message("ACK", 1, p.local(), p.uri(), "", ""))
	if c.state != calling {
		return
	}
	if code >= 300 {
		p.fail(c, fmt.Sprintf("%v: %s", c.seat, first))
		return
	}
	port, payloadType := mediaLine(text)
	c.rtp, c.state, c.answered = port, talking, time.Now()
	p.count.Answered++
	p.count.Up++
	if payloadType != int(c.seat.codec.PayloadType) || port == 0 {
		p.problem(fmt.Sprintf("%v: answered with payload type %d on port %d", c.seat, payloadType, port))
		p.count.Failed++
	}
	p.attendance.came(c.seat, c.answered)
	p.audio.add(c.seat, port, c.answered)
}

// asked answers a request of the node: it hangs up, or asks whether we are there.
func (p *phone) asked(c *call, text, first string) {
	if strings.HasPrefix(first, "ACK") {
		return
	}
	p.send(response(text))
	if c == nil || c.state != talking || !strings.HasPrefix(first, "BYE") {
		return
	}
	p.count.Up--
	p.attendance.went(c.seat, time.Now().Add(-noticed))
	p.audio.remove(c.rtp)
	p.fail(c, fmt.Sprintf("%v was hung up on after %v: %s", c.seat, time.Since(c.answered).Round(time.Millisecond), header(text, "Reason")))
}

// fail ends a call that should have gone on.
func (p *phone) fail(c *call, why string) {
	p.count.Failed++
	p.problem(why)
	p.forget(c)
}

// outside notes that callers who were answered did not come into their conferences.
func (p *phone) outside(n, up int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count.Failed += n
	p.problem(fmt.Sprintf("%d of %d callers who were answered are in no conference after 30 s", n, up))
}

// forget ends a call.
func (p *phone) forget(c *call) {
	c.state = over
	delete(p.calls, c.id)
	delete(p.seats, c.seat.n)
}

func (p *phone) problem(text string) {
	if len(p.count.Problems) < maxProblems {
		p.count.Problems = append(p.count.Problems, text)
	}
}
