package gossip

import (
	"bytes"
	"sync"
)

// self is what the node says of itself. Both pools share it.
type self struct {
	mu     sync.Mutex
	member Member
}

func (s *self) get() Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.member
}

// change applies f and tells whether there is something new to be told.
func (s *self) change(f func(*Member)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := metadata{s.member}.encode()
	f(&s.member)
	return !bytes.Equal(before, metadata{s.member}.encode())
}

// encode gives the metadata for a pool. What the node announces to its site's Raft
// group is of no use elsewhere and stays out of the wide pool's packets.
func (s *self) encode(k kind) []byte {
	m := s.get()
	if k == wide {
		m.Raft = nil
	}
	return metadata{m}.encode()
}
