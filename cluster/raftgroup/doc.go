// Package raftgroup keeps one site's registry the same on all of its nodes: one Raft
// group per site, over TLS, with its log and snapshots on disk.
//
// [Start] opens a [Group]. Its methods (Assign, Release, PutDialog …) work at any
// node: the leader carries them out, other nodes send them to the leader through
// the [Forwarder]. A request whose answer is lost is sent again under the same
// request id, and the registry carries it out once. [Group.View] reads the node's
// own copy, which may be behind; after [Group.Sync] it is not.
//
// A site without a quorum says [ErrNoQuorum] within Timing.Patience, and at once
// when that is known, so that calls are hosted by other rules in the meantime. An
// error that is also [ErrUnknownOutcome] leaves open whether the request will still
// be carried out.
//
// # Members
//
// The leader looks at who is live (Config.Live, from gossip) and does the rest:
// nobody asks to join. A live node that is not a member becomes a non-voter; when
// it is stable and has caught up, it may become a voter. There are MaxVoters voters
// at most, and an odd number of them, because two of two survive no more than one
// of one does, and are more often broken. A dead voter is replaced by a live
// non-voter; a dead member without replacement stays, for it may come back. A node
// that left is removed. [decide] has the rules, as a pure function.
//
// A member is a node together with its disk: its Raft server id has the disk's id
// in it, and the disk's id is in the same file as the log and the votes. A node
// that comes back without its disk is a new member, and its earlier self is
// removed: a server that forgot its vote and its log must not be taken for the
// one that gave them. For the same reason a connection names the server that it is
// for, by ALPN, and whoever has another id refuses it, even at the same address.
// Addresses are looked up among the live nodes, so that all nodes may come back
// with new ones at once.
//
// # The first node
//
// Exactly one node may found the group: the first, in order, of Config.Seeds. It
// waits until all seeds are live and none has ever been in a group, which it has them
// confirm. A group has an id, and a node that is in another group is never added.
//
// # What a site survives
//
// To be lost means here: dead, or cut off from most of the site. Whoever is lost is
// as before when it is back with its disk, at whatever address; without its disk it
// is a new member that catches up.
//
//   - One node: nothing, but its own restart. When it has lost its disk, it founds
//     a new group.
//   - Two nodes: one votes, at first the founder. The other may be lost. Without the
//     voter there is no quorum until it is back. [Group.Leave] gives the vote to the
//     other node; [Group.HandOver] does not.
//   - Three nodes: any one. Without two there is no quorum until one of them is back.
//     When one was taken out by [Group.Leave] or [Group.Remove], it is a site of two.
//   - Four nodes: any one; and when the spare has taken its place, after Timing.Dead,
//     one more, and so on until two are left.
//   - Five nodes with three voters: the same, with a spare more. With MaxVoters 5:
//     any two, also at the same time.
//
// When most voters have lost their disks for good, nobody knows any more what was
// decided, and the group does not go on by itself. Stop all nodes of the site, remove
// their directories, and start them with Seeds: they found a new group, and the floor
// of [registry.Assign] keeps its epochs above those in the database.
//
// # What Raft 1.8 must be told
//
// Pre-vote is off unless the transport has the method, silently: here it is the
// library's own transport, unwrapped. VerifyLeader counts the answers of non-voters,
// so it proves nothing when there are some; Sync goes through the log instead, with
// one entry for all who wait. Pipelined replication can block for good after a peer
// has refused an entry, while heartbeats go on and hide it; there is none here. The
// address of a member in the configuration is read without the lock under which it is
// written; here it is never changed, and the live nodes' addresses are used instead. A
// future that is in the hands of the state machine when Raft stops is never answered;
// Close waits for them first.
//
// One fault remains: a server votes only for voters of its own configuration. When the
// leader dies in the instant in which a promotion has reached the new voter and not the
// other one, these two elect nobody until it is back.
package raftgroup
