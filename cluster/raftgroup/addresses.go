package raftgroup

import (
	"fmt"
	"sync"

	"github.com/hashicorp/raft"
)

// addressBook finds servers where gossip sees them, so that nodes whose addresses
// have changed find one another before they have a leader. Others are looked for
// where they were last seen, or else where they were when they became members: the
// configuration's addresses are never changed.
type addressBook struct {
	live func() []Member

	mu    sync.Mutex
	known map[raft.ServerID]raft.ServerAddress
}

func newAddressBook(live func() []Member) *addressBook {
	return &addressBook{live: live, known: map[raft.ServerID]raft.ServerAddress{}}
}

// ServerAddr is the address of a server.
func (b *addressBook) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	live := b.live()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range live {
		if m.server() == id {
			b.known[id] = m.address()
		}
	}
	if known, ok := b.known[id]; ok {
		return known, nil
	}
	return "", fmt.Errorf("server %s is not live", id)
}

// learn forgets who is no member, and adds members that were never seen.
func (b *addressBook) learn(servers []raft.Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.known {
		if _, member := find(servers, id); !member {
			delete(b.known, id)
		}
	}
	for _, s := range servers {
		if _, ok := b.known[s.ID]; !ok {
			b.known[s.ID] = s.Address
		}
	}
}
