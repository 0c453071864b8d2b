package baresip

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/conclave-voice/conclave/testenv/netns"
)

// EventType is a kind of event, by baresip's name.
type EventType string

// The events that tests wait for; baresip has more.
const (
	Registered    EventType = "REGISTER_OK"
	NotRegistered EventType = "REGISTER_FAIL"
	Incoming      EventType = "CALL_INCOMING"
	Ringing       EventType = "CALL_RINGING"
	Progress      EventType = "CALL_PROGRESS"
	Established   EventType = "CALL_ESTABLISHED"
	Closed        EventType = "CALL_CLOSED"
	KeyDown       EventType = "CALL_DTMF_START" // Param is the key received
	KeyUp         EventType = "CALL_DTMF_END"
)

// Event is something that baresip tells.
type Event struct {
	Type      EventType `json:"type"`
	Direction string    `json:"direction"` // "incoming" or "outgoing"
	Peer      string    `json:"peeruri"`
	CallID    string    `json:"id"`
	Param     string    `json:"param"` // of Closed: why
}

// control is a connection to the module ctrl_tcp: JSON objects, each as a
// netstring (its length in digits, a colon, the object, a comma).
type control struct {
	conn net.Conn
	done chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	events  []Event // all since the start; a phone of a test has few
	waiting map[string]chan reply
	changed chan struct{} // closed and made anew at each event
	err     error         // why the reader has ended
	tokens  int
}

// reply answers a command.
type reply struct {
	OK   bool   `json:"ok"`
	Data string `json:"data"`
}

func connect(ctx context.Context, in *netns.Namespace, address string) (*control, error) {
	conn, err := in.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &control{conn: conn, done: make(chan struct{}), waiting: make(map[string]chan reply), changed: make(chan struct{})}
	go c.read()
	return c, nil
}

// close ends the connection and waits for the reader.
func (c *control) close() {
	_ = c.conn.Close()
	<-c.done
}

func (c *control) read() {
	defer close(c.done)
	in := bufio.NewReader(c.conn)
	for {
		object, err := readNetstring(in)
		if err == nil {
			err = c.take(object)
		}
		if err != nil {
			c.mu.Lock()
			c.err = fmt.Errorf("baresip's control connection: %w", err)
			close(c.changed)
			c.changed = nil
			c.mu.Unlock()
			return
		}
	}
}

// maxNetstring bounds what a broken peer could make us allocate.
const maxNetstring = 1 << 20

func readNetstring(in *bufio.Reader) ([]byte, error) {
	digits, err := in.ReadString(':')
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(strings.TrimSuffix(digits, ":"))
	if err != nil || length < 0 || length > maxNetstring {
		return nil, fmt.Errorf("a netstring begins with %q", digits)
	}
	object := make([]byte, length+1)
	if _, err := io.ReadFull(in, object); err != nil {
		return nil, err
	}
	return object[:length], nil
}

func (c *control) take(object []byte) error {
	var message struct {
		IsEvent bool   `json:"event"`
		Token   string `json:"token"`
		reply
		Event
	}
	if err := json.Unmarshal(object, &message); err != nil {
		return fmt.Errorf("%q: %w", object, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !message.IsEvent {
		if answer := c.waiting[message.Token]; answer != nil {
			delete(c.waiting, message.Token)
			answer <- message.reply // has room for one
		}
		return nil
	}
	c.events = append(c.events, message.Event)
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// command sends a command and waits for the reply.
func (c *control) command(ctx context.Context, name, params string) (string, error) {
	answer := make(chan reply, 1)
	c.mu.Lock()
	c.tokens++
	token := strconv.Itoa(c.tokens)
	c.waiting[token] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, token)
		c.mu.Unlock()
	}()

	object, err := json.Marshal(map[string]string{"command": name, "params": params, "token": token})
	if err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(c.conn, "%d:%s,", len(object), object); err != nil {
		return "", fmt.Errorf("telling baresip to %s: %w", name, err)
	}
	select {
	case r := <-answer:
		if !r.OK {
			return "", fmt.Errorf("baresip refused to %s %s: %s", name, params, strings.TrimSpace(r.Data))
		}
		return r.Data, nil
	case <-c.done:
		return "", fmt.Errorf("telling baresip to %s: %w", name, c.err)
	case <-ctx.Done():
		return "", fmt.Errorf("telling baresip to %s: %w", name, context.Cause(ctx))
	}
}

// await returns the first event from number `from` on whose type is one of types,
// and the number of the one after it.
func (c *control) await(ctx context.Context, from int, types ...EventType) (Event, int, error) {
	for {
		c.mu.Lock()
		events, changed, err := c.events, c.changed, c.err
		c.mu.Unlock()
		for n := from; n < len(events); n++ {
			if slices.Contains(types, events[n].Type) {
				return events[n], n + 1, nil
			}
		}
		if err != nil {
			return Event{}, from, fmt.Errorf("waiting for %v: %w", types, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, from, fmt.Errorf("waiting for %v: %w; there were %v", types, context.Cause(ctx), events)
		}
	}
}

// errNoCall says that a call was closed instead of established.
var errNoCall = errors.New("the call was not established")
