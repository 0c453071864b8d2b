package signaling

import (
	"fmt"
	"strconv"
)

// Side is who did something.
type Side uint8

const (
	ByLocal Side = iota + 1 // we did
	ByPeer
)

func (s Side) String() string {
	if s == ByPeer {
		return "peer"
	}
	return "local"
}

// Cause is why a dialog ended.
type Cause string

const (
	CauseBye            Cause = "bye"             // the peer hung up
	CauseHangup         Cause = "hangup"          // Dialog.Hangup
	CauseSessionExpired Cause = "session_expired" // nobody refreshed the session (RFC 4028)
	CauseNoACK          Cause = "no_ack"          // our 2xx was never acknowledged
	CauseNoAnswer       Cause = "no_answer"       // the ACK lacked the answer to our offer
	CauseGone           Cause = "gone"            // the peer answered 481 or 408, or not at all
	CauseTransport      Cause = "transport"       // nothing can be sent to the peer
	CauseAbandoned      Cause = "abandoned"       // the context of Accept ended before the ACK
	CauseShutdown       Cause = "shutdown"        // the endpoint stopped
)

// End is how a dialog ended.
type End struct {
	By     Side
	Cause  Cause
	Status int    // of the response that told, for CauseGone; else 0
	Reason string // the peer's Reason header field, as it came (RFC 3326)
}

func (e End) String() string {
	s := fmt.Sprintf("%s by %s", e.Cause, e.By)
	if e.Status != 0 {
		s += " (" + strconv.Itoa(e.Status) + ")"
	}
	return s
}

// EndedError says that a dialog is over.
type EndedError struct{ End End }

func (e *EndedError) Error() string { return "the dialog has ended: " + e.End.String() }

// Reason goes into the Reason header field of our BYE (RFC 3326). The zero value
// sends none.
type Reason struct {
	Protocol string // "SIP" or "Q.850"
	Cause    int
	Text     string
}

func (r Reason) header() []Header {
	if r.Protocol == "" {
		return nil
	}
	v := fmt.Sprintf("%s;cause=%d", r.Protocol, r.Cause)
	if r.Text != "" {
		v += ";text=" + quote(r.Text)
	}
	return []Header{{"Reason", v}}
}
