package clustering

import (
	"errors"

	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/raftgroup"
)

// encodeMember writes what gossip carries of a member of the Raft group, in few bytes:
// whether it is fresh, then three texts with their lengths. The rest is in gossip
// anyway.
func encodeMember(m raftgroup.Member) []byte {
	b := []byte{0}
	if m.Fresh {
		b[0] = 1
	}
	for _, text := range []string{m.Disk, m.Addr, m.Group} {
		b = append(b, byte(len(text)))
		b = append(b, text...)
	}
	return b
}

var errMember = errors.New("what a node says of its Raft server cannot be read")

// decodeMember reads it back, with what gossip says.
func decodeMember(of gossip.Member) (raftgroup.Member, error) {
	m := raftgroup.Member{Node: of.Node, Incarnation: of.Incarnation, Addresses: []string{of.Addresses.RPC}}
	b := of.Raft
	if len(b) == 0 {
		return m, errMember
	}
	m.Fresh, b = b[0] == 1, b[1:]
	for _, text := range []*string{&m.Disk, &m.Addr, &m.Group} {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return m, errMember
		}
		*text, b = string(b[1:1+int(b[0])]), b[1+int(b[0]):]
	}
	return m, nil
}
