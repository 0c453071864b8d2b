package conference

import (
	"errors"

	"github.com/conclave-voice/conclave/store"
)

// ErrEpochOver: the conference of this epoch has ended here, or one of a higher epoch
// has begun. Who wants in is to ask anew where the room's conference runs.
var ErrEpochOver = errors.New("the conference of this epoch is over")

// use is a room in use. Main and local conferences of a room have nothing to do with
// each other, nor has a local one that this node hosts alone, whose epochs are its own: a
// node may host all of them for a while, after a partition.
type use struct {
	room  store.RoomID
	kind  store.ConferenceKind
	alone bool
}

// maxOver is how many ended epochs are remembered: far more than end within the time
// in which a caller who was sent here arrives. When there are more, any one of them is
// forgotten, and a caller who comes that late opens a conference of an old epoch, which
// the store refuses.
const maxOver = 1 << 14

// isOver says whether a conference of the epoch has ended here. The lock is held.
func (h *Host) isOver(of use, epoch uint64) bool {
	last, known := h.over[of]
	return known && epoch <= last
}

// forget drops a conference whose end has been written, and its epoch for good.
func (h *Host) forget(c *Conference) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := use{c.room.ID, c.row.Kind, c.alone}
	if h.rooms[of] != c {
		return
	}
	delete(h.rooms, of)
	if len(h.over) >= maxOver {
		for any := range h.over {
			delete(h.over, any)
			break
		}
	}
	h.over[of] = c.row.Epoch
}

// Alone says whether this node hosts the conference on its own word: its site cannot give
// it to another.
func (c *Conference) Alone() bool { return c.alone }

// Supersede lets the callers of a room's conference go, to be moved, if its epoch is
// below this one.
func (h *Host) Supersede(room store.RoomID, kind store.ConferenceKind, epoch uint64) {
	h.Move(room, kind, epoch, store.EndMoved)
}

// Move is Supersede with the reason that the record of the conference gives for its end
// here.
func (h *Host) Move(room store.RoomID, kind store.ConferenceKind, epoch uint64, reason string) {
	h.mu.Lock()
	c := h.rooms[use{room, kind, false}]
	h.mu.Unlock()
	if c != nil && c.row.Epoch < epoch {
		c.releaseAll(store.CauseMoved, reason)
	}
}
