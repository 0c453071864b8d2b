package signaling

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// errAnswered: the transaction has its final response.
var errAnswered = errors.New("the request already has a final response")

// silent is the log of sipgo's parts: they log whole messages at error level.
var silent = slog.New(slog.DiscardHandler)

// serverTx is a request that we answer.
type serverTx struct {
	*transaction
	*request
	endpoint *Endpoint
}

// transaction is what is kept of a request for half a minute after its answer, for copies
// of it that are still under way (RFC 3261 section 17.2): the request itself is not. The
// state machine is sipgo's.
type transaction struct {
	*sip.ServerTx

	mu     sync.Mutex
	final  int
	invite *Invite // of an INVITE outside a dialog, until its final response
	tag    string  // ours, of such an INVITE
}

// respond sends a response. After a final one it is an error.
func (t *serverTx) respond(res *sip.Response) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.final != 0 {
		return errAnswered
	}
	if res.StatusCode >= 200 {
		t.final, t.invite = res.StatusCode, nil
		t.endpoint.stats.answered(t.method, t.final)
	}
	return t.ServerTx.Respond(res)
}

func (t *transaction) answered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.final
}

// reject answers with a status alone.
func (t *serverTx) reject(status int, toTag string, extra ...Header) {
	if toTag == "" {
		toTag = t.endpoint.statelessTag(t.message)
	}
	err := t.respond(t.endpoint.response(t.message, status, "", toTag, extra...))
	if err != nil && !errors.Is(err, errAnswered) {
		t.endpoint.logger.Debug("response not sent", "status", status, "call_id", t.callID, "error", err)
	}
}

// absorbACK hands the ACK of a refusal to the state machine. sipgo passes ACKs on
// with a goroutine that waits until someone takes them; this one does.
func (e *Endpoint) absorbACK(t *transaction) {
	e.spawnIO(func() {
		select {
		case <-t.Acks():
		case <-t.Done():
		}
	})
	_ = t.Receive(sip.NewRequest(sip.ACK, sip.Uri{}))
}

// serverTable holds the transactions of requests that came (RFC 3261 section
// 17.2.3), up to a limit.
type serverTable struct {
	limit int

	mu     sync.Mutex
	byKey  map[string]*transaction
	merged map[string]string // of requests outside dialogs: what they have in common, to key
}

func newServerTable(limit int) *serverTable {
	return &serverTable{limit: limit, byKey: map[string]*transaction{}, merged: map[string]string{}}
}

func (s *serverTable) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byKey)
}

func (s *serverTable) find(key string) *transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey[key]
}

// serverKey matches copies of a request, and the ACK or CANCEL of an INVITE when
// that method is asked for.
func serverKey(r *request, method string) string {
	parts := []string{method}
	if branch := r.via.branch(); len(branch) > len(sip.RFC3261BranchMagicCookie) && strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		parts = append(parts, branch, strings.ToLower(r.via.host), strconv.Itoa(r.via.port))
	} else { // a client of RFC 2543
		parts = append(parts, r.uri, r.from.param("tag"), r.callID, strconv.Itoa(int(r.cseq)), r.list("via")[0])
	}
	return strings.Join(parts, "\x00")
}

// mergeKey is equal for copies of a request that came on several ways (RFC 3261
// section 8.2.2.2).
func mergeKey(r *request) string {
	return strings.Join([]string{r.method, r.callID, r.from.param("tag"), strconv.Itoa(int(r.cseq))}, "\x00")
}

// add makes a transaction. Another refusal than nil: the table is full, or the
// request is a merged one.
func (e *Endpoint) addServerTx(r *request, key string) (*serverTx, *refusal) {
	s := e.servers
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byKey) >= s.limit {
		return nil, &refusal{status: 503, extra: []Header{retryAfter(overloadPause)}}
	}
	merge := ""
	if !r.inDialog() && r.method != "CANCEL" {
		merge = mergeKey(r)
		if _, ok := s.merged[merge]; ok {
			return nil, &refusal{status: 482}
		}
	}
	// Of the request, its state machine wants the method and the transport.
	origin := sip.NewRequest(sip.RequestMethod(strings.Clone(r.method)), sip.Uri{})
	origin.SetTransport(r.flow.network())
	t := &transaction{ServerTx: sip.NewServerTx(key, origin, r.flow, silent)}
	if err := t.Init(); err != nil {
		return nil, &refusal{status: 500}
	}
	t.OnTerminate(func(string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.byKey, key)
		delete(s.merged, merge)
	})
	s.byKey[key] = t
	if merge != "" {
		s.merged[merge] = key
	}
	return &serverTx{transaction: t, request: r, endpoint: e}, nil
}

func (s *serverTable) terminateAll() {
	s.mu.Lock()
	all := make([]*transaction, 0, len(s.byKey))
	for _, t := range s.byKey {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.Terminate()
	}
}
