package clustering

import (
	"context"

	"github.com/conclave-voice/conclave/callflow/custody"
	"github.com/conclave-voice/conclave/callflow/peers"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/sites/reach"
)

// The methods of this package.
const (
	methodRaft      = "raft.forward"
	methodVerdict   = "site.verdict"
	methodForce     = "site.force"
	methodDrain     = "node.drain"
	methodTake      = "call.take"
	methodDrainSite = "site.drain"
	methodDrains    = "orders.drains"
	methodTell      = "orders.tell"
	methodObey      = "orders.obey"
	methodStatus    = "node.status"
	methodKeys      = "keys.step"
)

type raftMessage struct{ Data []byte }

type verdictRequest struct{ Site string }

type verdictAnswer struct{ Up bool }

// Calls are the calls of this node; a callflow.Engine.
type Calls interface {
	peers.Hosting
	custody.Calls
}

// Serve adds what other nodes may ask for, before Run.
func (c *Cluster) Serve(calls Calls, conferences peers.Conferences) {
	peers.Serve(c.server, calls, c.locator)
	c.serveCustody(calls)
	peers.ServeConferences(c.server, conferences)
	c.serveOperators()
	c.serveOrders()
	c.serveDrains()
	c.serveStatus()
	c.serveKeys()
	rpc.Handle(c.server, methodRaft, func(ctx context.Context, peer certs.Identity, m raftMessage) (raftMessage, error) {
		if err := c.bundle.SameSite()(peer); err != nil {
			return raftMessage{}, err
		}
		data, err := c.group.Serve(ctx, m.Data)
		return raftMessage{data}, err
	})
	// Never hearsay: only what this node has found out itself.
	rpc.Handle(c.server, methodVerdict, func(_ context.Context, _ certs.Identity, r verdictRequest) (verdictAnswer, error) {
		return verdictAnswer{c.prober.Verdict(r.Site) == reach.Up}, nil
	})
}

// ServeRecordings lets other nodes read the files of this one's recordings; before Run.
func (c *Cluster) ServeRecordings(archive peers.Archive) { peers.ServeRecordings(c.server, archive) }

// forwarder sends Raft requests to the leader (raftgroup.Forwarder).
type forwarder struct{ c *Cluster }

func (f forwarder) Forward(ctx context.Context, node string, request []byte) ([]byte, error) {
	got, err := rpc.Call[raftMessage, raftMessage](ctx, f.c.client, f.c.identity(f.c.self.Site, node), methodRaft, raftMessage{request})
	return got.Data, err
}
