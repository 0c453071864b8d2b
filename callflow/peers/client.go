package peers

import (
	"context"
	"net/netip"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// Directory is what is known of other nodes.
type Directory interface {
	// SIP is where a node takes forwarded calls.
	SIP(node store.Place) (addr netip.AddrPort, known bool)
	Alive(node store.Place) bool
	Cut(site string) bool
}

// Client asks other nodes. It is callflow.Foci and sites.Peers.
type Client struct {
	cluster string
	rpc     *rpc.Client
	Directory
}

var (
	_ callflow.Foci = (*Client)(nil)
	_ sites.Peers   = (*Client)(nil)
)

// NewClient makes a client in the cluster.
func NewClient(cluster string, client *rpc.Client, nodes Directory) *Client {
	return &Client{cluster: cluster, rpc: client, Directory: nodes}
}

func (c *Client) identity(node store.Place) certs.Identity {
	return certs.Identity{Cluster: c.cluster, Site: node.Site, Node: node.Node}
}

// Reserve asks for a seat.
func (c *Client) Reserve(ctx context.Context, node store.Place, r callflow.Reservation) (store.ConferenceID, error) {
	got, err := rpc.Call[reserveRequest, reserveAnswer](ctx, c.rpc, c.identity(node), methodReserve, reserveRequest{Admission: r.Admission, Name: pack(r.Name), Term: r.Term})
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

// Standing tells the node that took a caller's call what the caller has here.
func (c *Client) Standing(ctx context.Context, node store.Place, p store.ParticipantID, st roster.Standing) error {
	_, err := rpc.Call[standingRequest, nothing](ctx, c.rpc, c.identity(node), methodStanding, standingRequest{Participant: p, Standing: st})
	return err
}

// Media asks a node for reports of callers that it mixes.
func (c *Client) Media(ctx context.Context, node store.Place, callers []store.ParticipantID) (map[store.ParticipantID]callflow.MediaReport, error) {
	return rpc.Call[mediaRequest, map[store.ParticipantID]callflow.MediaReport](ctx, c.rpc, c.identity(node), methodMedia, mediaRequest{Callers: callers})
}

// Qualities asks a node how the media of callers is: of those that it mixes, and of those
// whose calls it has.
func (c *Client) Qualities(ctx context.Context, node store.Place, callers []store.ParticipantID) (map[store.ParticipantID]callflow.Quality, error) {
	return rpc.Call[mediaRequest, map[store.ParticipantID]callflow.Quality](ctx, c.rpc, c.identity(node), methodQualities, mediaRequest{Callers: callers})
}

// MediaEnded tells the node that took a caller's call how its media was here.
func (c *Client) MediaEnded(ctx context.Context, node store.Place, p store.ParticipantID, r callflow.MediaReport) error {
	_, err := rpc.Call[mediaEndedRequest, nothing](ctx, c.rpc, c.identity(node), methodMediaEnded, mediaEndedRequest{Participant: p, Report: r})
	return err
}

// Ping asks a node for a sign of life.
func (c *Client) Ping(ctx context.Context, node store.Place) error {
	return c.rpc.Ping(ctx, c.identity(node))
}

// WhereIs asks a node of another site where the room's conference runs.
func (c *Client) WhereIs(ctx context.Context, node store.Place, room store.Room, over uint64) (sites.Assignment, error) {
	return rpc.Call[whereRequest, sites.Assignment](ctx, c.rpc, c.identity(node), methodWhereIs, whereRequest{Room: room.ID, Home: room.HomeSite, Over: over})
}
