// Package gossip knows which nodes there are, where they listen and how loaded they are.
//
// Every node is a member of two pools of hashicorp/memberlist: the local one of its site,
// quick to see a dead node, and the wide one across all sites, patient with long links.
// Both are encrypted. What a node tells of itself (see [Member]) travels as memberlist
// metadata, within 512 bytes.
//
// # Who is let in
//
// Each pool is labelled with the cluster's name and its own: packets and streams with
// another label, or encrypted with a key that is not held, are not read. A node of
// another site in the local pool, with a name that is alive at another address, or with
// metadata that cannot be read, is refused, both when it joins and when others speak of
// it. The log has the reason and the fix. A restarted node is told from an older run by
// its incarnation: the newer run takes the name as soon as the older one is known to be
// dead, at whatever address, and the older one cannot come back.
//
// # Healing
//
// memberlist forgets the dead: when both sides of a cut have declared each other dead,
// it never joins them again. So each pool keeps trying the addresses that no living
// member answers for: those configured, and those learnt in either pool. The learnt ones
// are kept in a file, so that a node whose configured seeds are gone still finds its
// cluster. One address of either pool is enough to join both.
//
// # What to build on it
//
// Inside a site, a member that is not alive is dead within a second. Across sites
// gossip is slow to see a loss (5 to 15 s) and flaps when a link works in one direction
// only: it corroborates, and packages sites/reach and sites/probe decide.
//
// # Locks, goroutines, queues
//
// memberlist calls back under its own lock. The callbacks take only the locks of the
// pool's table, of the book of addresses and of self, one at a time, and wait for
// nothing; nothing here calls memberlist with one of them held. Each pool has two
// goroutines (rejoining, publishing), and a last one logs; [Gossip.Close] stops and
// waits for them. memberlist's own end by themselves within a probe's time after Close.
// Watchers hold one signal each. At most 256 lines wait for the log, beyond which they
// are lost and counted; 256 learnt addresses and 1024 dead members a pool are kept, the
// oldest make room.
package gossip
