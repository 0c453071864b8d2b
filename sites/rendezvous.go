package sites

import "hash/fnv"

// Rendezvous is how much a node is meant for what has this key, such as a room: of several
// nodes, the one with the highest. It is the same at every node, another for each key, and
// moves no other key when a node comes or goes (rendezvous hashing).
func Rendezvous(key, node string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	h.Write([]byte{0})
	h.Write([]byte(node))
	// FNV mixes the last bytes little; the finalizer of SplitMix64 does.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
