package peers

import (
	"context"
	"net/netip"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// Client asks other nodes. It is callflow.Foci and sites.Peers.
type Client struct {
	cluster string
	rpc     *rpc.Client
	sip     func(node store.Place) (netip.AddrPort, bool)
}

var (
	_ callflow.Foci = (*Client)(nil)
	_ sites.Peers   = (*Client)(nil)
)

// NewClient makes a client in the cluster. sip says where a node takes forwarded calls.
func NewClient(cluster string, client *rpc.Client, sip func(store.Place) (netip.AddrPort, bool)) *Client {
	return &Client{cluster: cluster, rpc: client, sip: sip}
}

func (c *Client) identity(node store.Place) certs.Identity {
	return certs.Identity{Cluster: c.cluster, Site: node.Site, Node: node.Node}
}

// SIP is where the node takes forwarded calls.
func (c *Client) SIP(node store.Place) (netip.AddrPort, bool) { return c.sip(node) }

// Reserve asks for a seat.
func (c *Client) Reserve(ctx context.Context, node store.Place, r callflow.Reservation) (store.ConferenceID, error) {
	got, err := rpc.Call[reserveRequest, reserveAnswer](ctx, c.rpc, c.identity(node), methodReserve, reserveRequest{Admission: r.Admission, Name: pack(r.Name)})
	return got.Conference, err
}

func (c *Client) tell(ctx context.Context, node store.Place, method string, a about) error {
	_, err := rpc.Call[about, nothing](ctx, c.rpc, c.identity(node), method, a)
	return err
}

// Cancel gives a reserved seat back.
func (c *Client) Cancel(ctx context.Context, node store.Place, p store.ParticipantID) error {
	return c.tell(ctx, node, methodCancel, about{Participant: p})
}

// Key passes on a digit that came by SIP INFO.
func (c *Client) Key(ctx context.Context, node store.Place, p store.ParticipantID, digit byte) error {
	return c.tell(ctx, node, methodKey, about{Participant: p, Digit: digit})
}

// Hold says that the caller's phone holds the call, or has resumed it.
func (c *Client) Hold(ctx context.Context, node store.Place, p store.ParticipantID, held bool) error {
	return c.tell(ctx, node, methodHold, about{Participant: p, Held: held})
}

// Say has prompts played to the caller.
func (c *Client) Say(ctx context.Context, node store.Place, p store.ParticipantID, prompts []prompt.ID) error {
	return c.tell(ctx, node, methodSay, about{Participant: p, Prompts: prompts})
}

// WhereIs asks a node of the room's home site where its conference runs.
func (c *Client) WhereIs(ctx context.Context, node store.Place, room store.RoomID, over uint64) (sites.Assignment, error) {
	return rpc.Call[whereRequest, sites.Assignment](ctx, c.rpc, c.identity(node), methodWhereIs, whereRequest{Room: room, Over: over})
}
