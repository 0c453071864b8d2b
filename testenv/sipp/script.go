package sipp

import (
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/pcap"
)

// Step is something that a party does in an answered call. Whatever it does, it
// meanwhile answers a re-INVITE, UPDATE, INFO or OPTIONS, and lets the other side
// hang up.
type Step struct {
	wait   time.Duration // how long the step lasts; after a re-INVITE it begins anew
	stream *pcap.Stream  // played from the beginning of the step
	info   string        // keys sent by INFO
	offer  direction     // of the re-INVITE sent
	extra  []string      // further header lines of the re-INVITE
}

// direction is an attribute of SDP (RFC 3264 section 5.1).
type direction string

// Wait lets a time pass.
func Wait(d time.Duration) Step { return Step{wait: d} }

// Play plays a stream to its end.
func Play(s *pcap.Stream) Step { return Step{stream: s, wait: s.Duration()} }

// Begin begins to play a stream while the next steps follow. Another stream ends
// it, and so does the end of the call.
func Begin(s *pcap.Stream) Step { return Step{stream: s} }

// Info sends keys by SIP INFO (application/dtmf-relay), one message each.
func Info(keys string) Step { return Step{info: keys} }

// Hold sends a re-INVITE with a=sendonly.
func Hold() Step { return Step{offer: "sendonly"} }

// Resume sends a re-INVITE with a=sendrecv.
func Resume() Step { return Step{offer: "sendrecv"} }

// Refresh sends a re-INVITE that changes nothing, for the session timer (RFC 4028):
// the session is to last for the interval, and this side refreshes it.
func Refresh(interval time.Duration) Step {
	return Step{offer: "sendrecv", extra: []string{"Supported: timer", SessionExpires(interval, "uac")}}
}

// SessionExpires is the header line that asks for a session timer. The refresher
// is "uac" or "uas", as seen from the request that it is in.
func SessionExpires(interval time.Duration, refresher string) string {
	return fmt.Sprintf("Session-Expires: %.0f;refresher=%s", interval.Seconds(), refresher)
}

// End says how a call ends after its steps.
type End int

const (
	// HangUp sends a BYE.
	HangUp End = iota
	// AwaitBye waits for the other side's BYE for Caller.Patience, then hangs up:
	// the result says who did.
	AwaitBye
)

// Cancellation says when a caller gives up before an answer.
type Cancellation int

const (
	// NoCancel waits for the answer.
	NoCancel Cancellation = iota
	// CancelOnTrying sends CANCEL when the first provisional response is there.
	CancelOnTrying
	// CancelOnRinging sends CANCEL when a 180 or 183 is there.
	CancelOnRinging
	// CancelAtOnce sends CANCEL within 10 ms of the INVITE, whether there is a
	// provisional response or not. RFC 3261 section 9.1 forbids that and some
	// devices do it.
	CancelAtOnce
)

// Caller is one or many calls made alike.
type Caller struct {
	Target string // HOST:PORT that the INVITE goes to
	Number string // what is dialled
	From   string // the caller's number; default "5550199"

	Local     string           // the caller's address; default 127.0.0.1
	In        *netns.Namespace // that has the address; nil: the test's own
	TCP       bool             // and not UDP
	Codec     pcap.Codec
	LateOffer bool // the INVITE has no SDP, the ACK answers the one in the 200
	NoEvents  bool // offers no telephone events: its keys are tones in the audio
	Echo      bool // sends back what it hears; in a single call
	// RefuseReinvites is the status by which it refuses each re-INVITE; 0: it answers
	// them. What it plays goes to where the stream began in either case: SIPp does not
	// turn it to another address.
	RefuseReinvites int

	Username, Password string   // for a digest challenge; none is expected if empty
	Headers            []string // further lines of the INVITE, such as "Privacy: id"

	Expect   int // the final status to the INVITE; default 200
	Cancel   Cancellation
	Steps    []Step
	End      End
	Patience time.Duration // see AwaitBye, and for any answer; default 30 s

	Load Load
}

// Load repeats a call.
type Load struct {
	Calls int // in all; default 1
	Rate  int // begun each second; default 10
	Limit int // at the same time; default as many as the rate makes
}

// Answerer is a called party. It takes any number of calls until it is stopped.
type Answerer struct {
	Local string           // its address; default 127.0.0.1
	In    *netns.Namespace // that has the address; nil: the test's own
	Port  int              // where it listens; default a free one
	TCP   bool             // and not UDP
	Codec pcap.Codec
	Echo  bool // sends back what it hears; of one call at a time

	Username, Password string // challenge a caller, and refuse it with 403 if it has others

	Ring     time.Duration // between 180 and the answer; 0 sends no 180
	Status   int           // refuse with it; default 200
	Steps    []Step        // as a Caller's
	End      End           // as a Caller's; a called party mostly awaits the BYE
	Patience time.Duration
}
