package sites

import (
	"context"
	"sync"

	"github.com/conclave-voice/conclave/store"
)

// Single assigns every room to the one node that there is. It is safe for
// concurrent use.
type Single struct {
	place store.Place

	mu       sync.Mutex
	epoch    uint64
	assigned map[store.RoomID]uint64
}

// NewSingle makes a locator for the node at place. Epochs start above
// incarnation, which grows with every run of the node, so that they never fall
// behind those of an earlier run.
func NewSingle(place store.Place, incarnation int64) *Single {
	return &Single{place: place, epoch: uint64(incarnation), assigned: map[store.RoomID]uint64{}}
}

// Locate finds or makes the room's assignment; the one that is over is replaced.
func (s *Single) Locate(_ context.Context, room store.Room, over Assignment) (Assignment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	epoch, ok := s.assigned[room.ID]
	if !ok || epoch == over.Epoch {
		s.epoch++
		epoch = s.epoch
		s.assigned[room.ID] = epoch
	}
	return Assignment{Focus: s.place, Kind: store.KindMain, Epoch: epoch}, nil
}

// Local fails: a single node is the home of all rooms.
func (s *Single) Local(context.Context, store.Room) (Assignment, error) {
	return Assignment{}, ErrAtHome
}

// Current is the room's assignment, if it has one.
func (s *Single) Current(room store.RoomID) (Assignment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	epoch, ok := s.assigned[room]
	return Assignment{Focus: s.place, Kind: store.KindMain, Epoch: epoch}, ok
}

// Release ends the assignment of a room whose conference has closed. The next one
// gets a higher epoch. An older epoch than the current one changes nothing.
func (s *Single) Release(room store.RoomID, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.assigned[room] == epoch {
		delete(s.assigned, room)
	}
}
