package signaling

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// maxResponses is how many responses of one transaction may wait for its state
// machine. When that many do, further ones are dropped: they come again.
const maxResponses = 16

var (
	// ErrTimeout: no response within 64*T1.
	ErrTimeout = errors.New("no response")
	// ErrTransport: the request could not be sent.
	ErrTransport = errors.New("request could not be sent")
)

// clientTx is a request that we sent. The state machine is sipgo's.
type clientTx struct {
	*sip.ClientTx
	endpoint *Endpoint

	mu      sync.Mutex
	waiting []*sip.Response
	feeding bool
}

// receive hands a response to the state machine, in order and without waiting:
// sipgo's Receive waits until somebody reads the response.
func (t *clientTx) receive(res *sip.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) >= maxResponses {
		t.endpoint.stats.dropped("queue_full")
		return
	}
	t.waiting = append(t.waiting, res)
	if !t.feeding {
		t.feeding = t.endpoint.spawnIO(t.feed)
	}
}

func (t *clientTx) feed() {
	for {
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.feeding = false
			t.mu.Unlock()
			return
		}
		res := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.mu.Unlock()
		t.Receive(res)
	}
}

// clientTable holds the transactions of requests that we sent.
type clientTable struct {
	mu    sync.Mutex
	byKey map[string]*clientTx
}

func (c *clientTable) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byKey)
}

func (c *clientTable) find(key string) *clientTx {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byKey[key]
}

func (c *clientTable) terminateAll() {
	c.mu.Lock()
	all := make([]*clientTx, 0, len(c.byKey))
	for _, t := range c.byKey {
		all = append(all, t)
	}
	c.mu.Unlock()
	for _, t := range all {
		t.Terminate()
	}
}

// start sends a request. again sees further 2xx of an INVITE.
func (e *Endpoint) start(req *sip.Request, f flow, again func(*sip.Response)) (*clientTx, error) {
	key, err := sip.ClientTxKeyMake(req)
	if err != nil {
		return nil, fmt.Errorf("start transaction: %w", err)
	}
	t := &clientTx{ClientTx: sip.NewClientTx(key, req, f, silent), endpoint: e}
	c := e.clients
	t.OnTerminate(func(string, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.byKey, key)
	})
	if again != nil {
		t.OnRetransmission(again)
	}
	c.mu.Lock()
	c.byKey[key] = t
	c.mu.Unlock()
	if err := t.Init(); err != nil {
		t.Terminate()
		return nil, fmt.Errorf("%w: %w", ErrTransport, err)
	}
	return t, nil
}

// exchange sends a request that is no INVITE and waits for its final response.
func (e *Endpoint) exchange(ctx context.Context, req *sip.Request, f flow) (*message, error) {
	t, err := e.start(req, f, nil)
	if err != nil {
		return nil, err
	}
	// Later copies of the response need no answer.
	defer t.Terminate()
	for {
		select {
		case res := <-t.Responses():
			if res.StatusCode >= 200 {
				e.stats.sentAndGot(string(req.Method), res.StatusCode)
				return responseMessage(res, f), nil
			}
		case <-t.Done():
			return nil, e.unanswered(req, t)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// unanswered is why a transaction ended without a final response.
func (e *Endpoint) unanswered(req *sip.Request, t *clientTx) error {
	e.stats.sentAndGot(string(req.Method), 0)
	if err := t.Err(); !errors.Is(err, sip.ErrTransactionTimeout) {
		return fmt.Errorf("%s: %w: %w", req.Method, ErrTransport, err)
	}
	return fmt.Errorf("%s: %w", req.Method, ErrTimeout)
}

// responseMessage gives a response the form that everything else here reads.
func responseMessage(res *sip.Response, f flow) *message {
	m := &message{flow: f, status: res.StatusCode, reason: res.Reason, body: res.Body()}
	for _, h := range res.Headers() {
		m.fields = append(m.fields, field{fieldKey(h.Name()), h.Value()})
	}
	return m
}

// sipResponse is the opposite of responseMessage.
func (m *message) sipResponse() *sip.Response {
	res := sip.NewResponse(m.status, m.reason)
	for _, f := range m.fields {
		if f.key != "content-length" {
			res.AppendHeader(sip.NewHeader(f.key, f.value))
		}
	}
	res.SetBody(m.body)
	return res
}
