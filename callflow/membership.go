package callflow

import (
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// membership is a caller's place in a conference, at this node or at another.
type membership interface {
	// Key takes a digit that the caller pressed.
	Key(digit byte)
	// Hold notes that the caller's phone holds the call, or has resumed it.
	Hold(held bool)
	// Say plays prompts to the caller alone.
	Say(prompts ...prompt.ID)
	// Leave takes the caller out. Released follows.
	Leave(cause store.ReleaseCause)
	// Standing delivers what the caller has there, whenever it changes: the latest.
	Standing() <-chan roster.Standing
	// Released delivers the end of the membership, once.
	Released() <-chan conference.Release
}

var _ membership = (*conference.Seat)(nil)
