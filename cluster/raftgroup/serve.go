package raftgroup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// Serve answers what another node's group has forwarded to this one. It never
// forwards further: a node that does not lead says so. The error is about the
// request's form only.
func (g *Group) Serve(ctx context.Context, data []byte) ([]byte, error) {
	req, err := decodeMessage[kind](data)
	if err != nil {
		return nil, err
	}
	if req.is == kindReached {
		return done(encodeIndex(g.raft.LastIndex())).encode(), nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.ctx, cancel)()
	leader, tenure, _ := g.leadership.now()
	if leader != g.self {
		return answer{is: statusNotLeader}.encode(), nil
	}
	defer context.AfterFunc(tenure, cancel)()
	return g.lead(ctx, req).encode(), nil
}

// lead answers a request as the leader.
func (g *Group) lead(ctx context.Context, req request) answer {
	switch req.is {
	case kindPropose:
		return g.apply(ctx, req.body)
	case kindSync:
		index, err := g.syncs.wait(ctx)
		if err != nil {
			return because(statusNotLeader, err)
		}
		return done(encodeIndex(index))
	case kindHas:
		return g.has(raft.ServerID(req.body))
	}
	return because(statusFailed, fmt.Errorf("request of kind %d; this node's program does not know it", req.is))
}

// apply puts a command into the log and waits for its result.
func (g *Group) apply(ctx context.Context, command []byte) answer {
	if _, err := registry.DecodeCommand(command); err != nil {
		return because(statusFailed, err)
	}
	enqueue := g.cfg.Timing.Patience
	if deadline, ok := ctx.Deadline(); ok {
		enqueue = max(time.Until(deadline), time.Millisecond) // 0 would be no limit
	}
	answered := make(chan answer, 1)
	if err := g.start(func() { answered <- outcomeOf(g.raft.Apply(command, enqueue)) }); err != nil {
		return because(statusNotLeader, err)
	}
	select {
	case a := <-answered:
		return a
	case <-ctx.Done():
		return because(statusUnknown, ctx.Err())
	}
}

// outcomeOf waits for a future. ErrLeadershipLost and most other errors leave open
// what becomes of the entry.
func outcomeOf(future raft.ApplyFuture) answer {
	err := future.Error()
	if err == nil {
		o := future.Response().(outcome)
		if o.err != nil {
			return because(statusFailed, o.err)
		}
		return done(o.result.Encode())
	}
	for _, certain := range []error{raft.ErrNotLeader, raft.ErrEnqueueTimeout, raft.ErrLeadershipTransferInProgress} {
		if errors.Is(err, certain) {
			return because(statusNotLeader, err)
		}
	}
	return because(statusUnknown, err)
}

// has says whether a server is a member, as far as this leader knows.
func (g *Group) has(id raft.ServerID) answer {
	if _, ok := find(g.raft.GetConfiguration().Configuration().Servers, id); ok {
		return done([]byte{1})
	}
	return done([]byte{0})
}

func encodeIndex(index uint64) []byte { return binary.AppendUvarint(nil, index) }

func decodeIndex(b []byte) (uint64, error) {
	index, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, fmt.Errorf("reading a log index: %d bytes are too short", len(b))
	}
	return index, nil
}
