package raftgroup

import (
	"fmt"
	"sync"

	"github.com/hashicorp/raft"
)

// addressBook finds servers where gossip sees them, so that nodes whose addresses
// have changed find one another before they have a leader. Others are looked for
// where they were last.
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
	for _, m := range b.live() {
		if m.server() == id {
			return m.address(), nil
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.known[id]; ok {
		return known, nil
	}
	return "", fmt.Errorf("server %s is not live", id)
}

// learn keeps the addresses of the members.
func (b *addressBook) learn(servers []raft.Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.known)
	for _, s := range servers {
		b.known[s.ID] = s.Address
	}
}
