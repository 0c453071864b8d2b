package raftgroup

import "errors"

var (
	// ErrNoQuorum means that no leader with a quorum of the site's voters could be
	// reached within Timing.Patience.
	ErrNoQuorum = errors.New("the site's Raft group has no quorum that this node can reach")
	// ErrUnknownOutcome means that the request was sent and not answered: it may
	// have been carried out, or may still be.
	ErrUnknownOutcome = errors.New("the request was not answered and may have been carried out")
	// ErrQueueFull means that dialogs are put faster than the group takes them.
	ErrQueueFull = errors.New("too many dialog changes are waiting to be replicated")
	// ErrClosed means that the group was closed on this node.
	ErrClosed = errors.New("the Raft group was closed on this node")
)
