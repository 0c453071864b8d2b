package caller

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Dial is a call to be made.
type Dial struct {
	To     netip.AddrPort // of the node's SIP, UDP
	Number string         // that is dialled
	From   string         // the calling number; empty: "caller"
	Keys   string         // pressed once answered, such as an access code and #
	Tone   int            // what the caller says, a whole number of Hz; 0: silence

	User, Password string // for a node that asks for them (RFC 8760, RFC 7616)
}

// Call is one call of a phone.
type Call struct {
	phone *Phone
	dial  Dial
	id    string // Call-ID
	tag   string // ours
	slot  int    // of a frame in which it speaks
	media *net.UDPConn
	ended chan struct{}

	mu        sync.Mutex
	ear       *ear
	mouth     *mouth
	answered  bool
	remote    remote
	remoteTag string
	target    sip.Uri        // the node's Contact
	next      netip.AddrPort // where requests are sent
	cseq      uint32         // of our last request
	theirs    uint32         // of the node's last request
	version   int            // of our session description
	direction string         // that our last one had
	held      bool
	inviting  bool // a re-INVITE of ours is under way
	offered   bool // the next ACK answers our offer
	acks      []acknowledgement
	kept      []kept // answers to the node's last requests
	over      time.Time
	reason    string
}

// Call dials, and returns when the call has been answered. When ctx ends first, the
// INVITE is cancelled. A refusal is a [*Refused].
func (p *Phone) Call(ctx context.Context, d Dial) (*Call, error) {
	if err := checkKeys(d.Keys); err != nil {
		return nil, err
	}
	if d.From == "" {
		d.From = "caller"
	}
	media, err := p.openMedia()
	if err != nil {
		return nil, fmt.Errorf("open a socket for RTP at %v: %w", p.options.Address, err)
	}
	c := &Call{phone: p, dial: d, id: sip.GenerateTagN(20), tag: sip.GenerateTagN(10), slot: rand.IntN(slots),
		media: media, ended: make(chan struct{}), ear: newEar(nil), mouth: newMouth(d.Tone), next: d.To,
		target: sip.Uri{Scheme: "sip", User: d.Number, Host: d.To.Addr().String(), Port: int(d.To.Port())}}
	c.mouth.keys = d.Keys
	if err := p.add(c); err != nil {
		media.Close()
		return nil, err
	}
	if err := c.open(ctx); err != nil {
		c.finish(err.Error())
		return nil, err
	}
	return c, nil
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.id }

// Done is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.ended }

// Ended says why the call ended; false while it goes on.
func (c *Call) Ended() (reason string, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason, !c.over.IsZero()
}

func (c *Call) hasEnded() bool {
	_, ended := c.Ended()
	return ended
}

func (c *Call) endedBefore(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.over.IsZero() && c.over.Before(t)
}

// Remote is where our audio goes.
func (c *Call) Remote() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remote.media
}

// Timeline is what was heard, and what happened, until now.
func (c *Call) Timeline() Timeline {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.over.IsZero() {
		now = c.over
	}
	return c.ear.timeline(now)
}

// Press presses keys, after those that are still being sent.
func (c *Call) Press(keys string) error {
	if err := checkKeys(keys); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mouth.keys += keys
	return nil
}

// listenFor sets the tones that are listened for. The phone's lock is held.
func (c *Call) listenFor(tones []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ear.tones = slices.Clone(tones)
}

// Mute has the caller send silence instead of its tone, or the tone again.
func (c *Call) Mute(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mouth.silent = on
}

// finish ends the call for us, without a word to the node. Only the first reason
// counts.
func (c *Call) finish(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(reason)
}

// end is finish with mu held.
func (c *Call) end(reason string) {
	if !c.over.IsZero() {
		return
	}
	c.over, c.reason = time.Now(), reason
	c.ear.event(c.over, "ended: "+reason)
	c.media.Close() // wakes listen
	close(c.ended)
}

// speak sends one packet of audio, if it is wanted.
func (c *Call) speak() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered || c.held || !c.over.IsZero() || !c.remote.wantsAudio() {
		return
	}
	c.mouth.event = c.remote.event
	packet := c.mouth.next(make([]byte, 0, 12+samples))
	_, _ = c.media.WriteToUDPAddrPort(packet, c.remote.media) // lost audio is lost
}
