package sites

import "github.com/conclave-voice/conclave/store"

// Assignment says where a room's conference runs now.
type Assignment struct {
	Focus store.Place
	Kind  store.ConferenceKind
	// Epoch grows with each assignment of the room. Writes of a lower one are
	// refused, so that a focus that was replaced without knowing does no harm.
	Epoch uint64
}
