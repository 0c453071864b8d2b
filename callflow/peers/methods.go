package peers

import (
	"encoding/binary"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// The methods.
const (
	methodReserve    = "seat.reserve"
	methodCancel     = "seat.cancel"
	methodKey        = "seat.key"
	methodHold       = "seat.hold"
	methodSay        = "seat.say"
	methodStanding   = "caller.standing"
	methodMedia      = "seat.media"
	methodQualities  = "caller.quality"
	methodMediaEnded = "caller.media-ended"
	methodCommand    = "conference.command"
	methodSpeakers   = "conference.speakers"
	methodWhereIs    = "room.where-is"
	methodFile       = "recording.read"
)

// Codes are the errors that cross the wire. A code is never given another meaning:
// nodes of two versions talk during an upgrade.
func Codes() rpc.Codes {
	return rpc.Codes{
		"locked": roster.ErrLocked, "room-full": roster.ErrFull, "ended": roster.ErrEnded,
		"account-full": conference.ErrAccountFull, "node-full": conference.ErrNodeFull, "epoch-over": conference.ErrEpochOver,
		"not-in": roster.ErrNotIn, "forbidden": roster.ErrForbidden, "hard-muted": roster.ErrHardMuted, "no-such": conference.ErrNoSuch,
		"stale-epoch": store.ErrStaleEpoch, "not-home": sites.ErrNotHome, "no-such-caller": callflow.ErrNoSuchCaller, "taken-over": callflow.ErrTaken,
		"no-recording": roster.ErrNoRecording, "no-recorder": conference.ErrNoRecorder, "no-opus": recording.ErrNoOpus,
	}
}

// reserveRequest is a callflow.Reservation. Samples are 16 bits, little endian.
type reserveRequest struct {
	Admission conference.Admission
	Name      []byte `json:",omitempty"`
	Term      uint64 `json:",omitempty"`
}

type reserveAnswer struct{ Conference store.ConferenceID }

// about is about a caller whose seat is at the node that is asked.
type about struct {
	Participant store.ParticipantID
	Digit       byte        `json:",omitempty"`
	Held        bool        `json:",omitempty"`
	Prompts     []prompt.ID `json:",omitempty"`
}

type standingRequest struct {
	Participant store.ParticipantID
	Standing    roster.Standing
}

type mediaRequest struct{ Callers []store.ParticipantID }

type mediaEndedRequest struct {
	Participant store.ParticipantID
	Report      callflow.MediaReport
}

type whereRequest struct {
	Room store.RoomID
	Home string
	Over uint64 `json:",omitempty"`
}

type nothing struct{}

func pack(samples []int16) []byte {
	b := make([]byte, 0, 2*len(samples))
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

func unpack(b []byte) []int16 {
	samples := make([]int16, len(b)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return samples
}
