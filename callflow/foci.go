package callflow

import (
	"context"
	"net/netip"

	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// Foci reaches the nodes that host conferences elsewhere. What it asks of another
// node's Engine is what the methods of the same names do there (hosting.go).
type Foci interface {
	// SIP is where a node takes forwarded calls; ok is false if that is not known.
	SIP(node store.Place) (addr netip.AddrPort, ok bool)
	Reserve(ctx context.Context, node store.Place, r Reservation) (store.ConferenceID, error)
	Cancel(ctx context.Context, node store.Place, p store.ParticipantID) error
	Key(ctx context.Context, node store.Place, p store.ParticipantID, digit byte) error
	Hold(ctx context.Context, node store.Place, p store.ParticipantID, held bool) error
	Say(ctx context.Context, node store.Place, p store.ParticipantID, prompts []prompt.ID) error
	// Standing tells the node that took a caller's call what the caller has in the
	// conference here.
	Standing(ctx context.Context, node store.Place, p store.ParticipantID, st roster.Standing) error
	// Media asks a node for reports of callers that it mixes. Those that it does not
	// know are left out. That it answers is a sign of life; it may be asked about none.
	Media(ctx context.Context, node store.Place, callers []store.ParticipantID) (map[store.ParticipantID]MediaReport, error)
	// Qualities asks a node how the media of callers is, as far as it knows.
	Qualities(ctx context.Context, node store.Place, callers []store.ParticipantID) (map[store.ParticipantID]Quality, error)
	// MediaEnded tells the node that took a caller's call how its media was here.
	MediaEnded(ctx context.Context, node store.Place, p store.ParticipantID, r MediaReport) error
	// Alive says whether a node is live, as far as is known; Ping asks it for a sign of
	// life.
	Alive(node store.Place) bool
	Ping(ctx context.Context, node store.Place) error
	// Cut says whether another site is out of reach by this node's own probes. What is
	// heard from there all the same goes one way only.
	Cut(site string) bool
}

// Reservation asks for a seat for a caller whose call will be forwarded.
type Reservation struct {
	conference.Admission
	// Name is how the caller is announced, at 8 kHz; empty: not by name.
	Name []int16
	// Term is how often the call has been taken over by another node.
	Term uint64
}

// Handover is what a forwarded INVITE proves: whose call it is, and that the node that
// sends it has reserved a seat for it.
type Handover struct {
	Participant store.ParticipantID
	Call        store.CallID
	From, To    store.Place
}

// Handovers signs and checks the proof. It is bound to the Call-ID of the INVITE, to
// the node that it is sent to, and to a short time; one is taken once.
type Handovers interface {
	Sign(h Handover, sipCallID string) (header string, err error)
	Verify(header, sipCallID string) (Handover, error)
}

// handoverHeader is the header field with the proof.
const handoverHeader = "Conclave-Handover"
