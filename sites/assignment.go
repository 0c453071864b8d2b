package sites

import "github.com/conclave-voice/conclave/store"

// Assignment says where a room's conference runs now.
type Assignment struct {
	Focus store.Place
	Kind  store.ConferenceKind
	// Epoch grows with each assignment of the room. Writes of a lower one are
	// refused, so that a focus that was replaced without knowing does no harm.
	Epoch uint64
	// Run is the incarnation of the focus's run; 0: not said. A later run of the node knows
	// nothing of the conference, and does not open it a second time.
	Run uint64 `json:",omitempty"`
	// Alone: the node hosts a local conference on its own word, while its site has no
	// quorum. Its epochs have nothing to do with those of the site.
	Alone bool `json:",omitempty"`
}

// of is the epoch, if it is of the registry's kind; else 0: an epoch of one kind says
// nothing of another, which may be far below it.
func (a Assignment) of(kind store.ConferenceKind) uint64 {
	if a.Alone || a.Kind != kind {
		return 0
	}
	return a.Epoch
}
