package load

import (
	"sync"
	"time"

	"github.com/conclave-voice/conclave/testenv/load/judge"
)

const (
	// leaving is how long after its BYE a caller may still be heard, in jitter buffers and
	// in the sockets on the way.
	leaving = 2 * time.Second
	// noticed is how long before the node's BYE a caller may have been gone.
	noticed = time.Second
)

// attendance keeps who spoke in which room when, for the judging afterwards.
type attendance struct {
	settle time.Duration
	chosen int

	mu    sync.Mutex
	rooms [][]judge.Presence
	open  map[int]int // seat: the index of its presence in its room
}

func newAttendance(o Options) *attendance {
	return &attendance{settle: o.Settle, chosen: o.Chosen, rooms: make([][]judge.Presence, o.rooms()), open: map[int]int{}}
}

// came notes that a seat's caller was answered.
func (a *attendance) came(s *seat, now time.Time) {
	if !s.speaks {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open[s.n] = len(a.rooms[s.room])
	a.rooms[s.room] = append(a.rooms[s.room], judge.Presence{Seat: s.place, Voice: s.voice, Called: now, In: now.Add(a.settle)})
}

// went notes that it was heard until a moment for certain.
func (a *attendance) went(s *seat, out time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i, there := a.open[s.n]; there {
		p := &a.rooms[s.room][i]
		p.Out, p.Gone = out, out.Add(leaving)
		delete(a.open, s.n)
	}
}

// room is who spoke in a room, up to now.
func (a *attendance) room(n int) judge.Room {
	a.mu.Lock()
	defer a.mu.Unlock()
	return judge.Room{Speakers: append([]judge.Presence(nil), a.rooms[n]...), Chosen: a.chosen}
}
