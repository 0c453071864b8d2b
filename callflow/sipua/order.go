package signaling

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// maxQueued is how many requests of one dialog may wait. More are refused with
	// 503: the peer sends faster than any telephone.
	maxQueued = 64
	// overdue is when a request that was seen to arrive, but that the stack has not
	// handed over, no longer holds those behind it.
	overdue = time.Second
)

// inbound puts a dialog's requests into the order in which they arrived. They are
// announced in that order by the reader of the socket (expect), and handed over by
// goroutines that may overtake one another (deliver).
type inbound struct {
	mu       sync.Mutex
	expected []ticket
	seen     [16]ticket    // the last ones announced, to know retransmissions
	next     int           // in seen
	out      chan delivery // bounded by maxQueued
}

type ticket struct {
	method sip.RequestMethod
	cseq   uint32
	at     time.Time
	got    *delivery
}

// delivery is a request and its transaction.
type delivery struct {
	req *sip.Request
	tx  *sip.ServerTx
}

// expect notes that a request has arrived. A retransmission changes nothing.
func (in *inbound) expect(req *sip.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	t := ticket{method: req.Method, cseq: req.CSeq().SeqNo, at: time.Now()}
	for _, s := range in.seen {
		if s.method == t.method && s.cseq == t.cseq {
			return
		}
	}
	if len(in.expected) < maxQueued {
		in.expected = append(in.expected, t)
		in.seen[in.next] = t
		in.next = (in.next + 1) % len(in.seen)
	}
}

func (in *inbound) find(req *sip.Request) *ticket {
	for i := range in.expected {
		if t := &in.expected[i]; t.method == req.Method && t.cseq == req.CSeq().SeqNo {
			return t
		}
	}
	return nil
}

// deliver hands a request over, and all that waited for it.
func (in *inbound) deliver(req *sip.Request, tx *sip.ServerTx) {
	in.mu.Lock()
	defer in.mu.Unlock()
	d := delivery{req, tx}
	if t := in.find(req); t != nil {
		t.got = &d
	} else {
		// Not announced: the dialog was made in between. Its turn is now.
		in.push(d)
	}
	for len(in.expected) > 0 {
		first := in.expected[0]
		if first.got == nil && time.Since(first.at) < overdue {
			return
		}
		in.expected = in.expected[1:]
		if first.got != nil {
			in.push(*first.got)
		}
	}
}

func (in *inbound) push(d delivery) {
	select {
	case in.out <- d:
	default:
		if !d.req.IsAck() {
			d.tx.Respond(unavailable().response(d.req))
		}
	}
}
