package sites

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// Registry is the site's Raft group, as a locator needs it.
type Registry interface {
	Assign(ctx context.Context, a registry.Assign) (registry.Assignment, error)
	Release(ctx context.Context, room string, epoch uint64) error
	View(look func(*registry.State)) error
}

// Peers are the nodes of other sites.
type Peers interface {
	// WhereIs asks a node of another site where a conference of the room runs: the same
	// method of its Cluster. Of the room, ID and HomeSite are told.
	WhereIs(ctx context.Context, node store.Place, room store.Room, over uint64) (Assignment, error)
	// Ping asks a node for a sign of life.
	Ping(ctx context.Context, node store.Place) error
}

// Epochs tell the highest epoch that the database has seen of a room.
type Epochs interface {
	RoomEpoch(ctx context.Context, room store.RoomID) (uint64, error)
}

// Config is what a Cluster needs. All fields must be set.
type Config struct {
	Self        store.Place
	Incarnation uint64
	Registry    Registry
	Peers       Peers
	Epochs      Epochs
	// Nodes are those of all sites that are known, live or not.
	Nodes func() []Node
	// Reachable is this site's verdict on another: whether it is worth asking.
	Reachable func(site string) bool
	// Learn asks the other sites which sites drain, and waits until the registry knows.
	Learn  func(context.Context)
	Clock  clockwork.Clock
	Logger hclog.Logger
}

const (
	// pingTime is how long the nodes of the home site have for a sign of life, before
	// the site counts as not to be reached; askNodes is how many are asked.
	pingTime = time.Second
	askNodes = 2
	// askTime is how long a site that lives has for its answer: it may be electing.
	askTime = 3500 * time.Millisecond
	// remember is how long that is believed, without asking again, while the verdict
	// on the site does not say so yet.
	remember = 3 * time.Second
	// maxReleases is how many ended conferences may wait to be released. When there
	// are more, one is dropped: its room's next caller finds out that it is over.
	maxReleases = 1024
	releaseTime = 5 * time.Second
)

// Cluster locates conferences for a node of a cluster (DESIGN "Choosing the focus").
// Make one with NewCluster; call Run. It is safe for concurrent use.
type Cluster struct {
	config   Config
	releases chan released

	mu     sync.Mutex
	epoch  uint64               // of conferences without a registry
	silent map[string]time.Time // sites that did not answer: until when it is believed
}

type released struct {
	room  store.RoomID
	epoch uint64
}

// NewCluster makes a locator.
func NewCluster(c Config) *Cluster {
	return &Cluster{config: c, releases: make(chan released, maxReleases), epoch: c.Incarnation, silent: map[string]time.Time{}}
}

// Locate finds or makes the room's assignment. It always has one: while the home site
// cannot be reached the conference is a local one, and while this site has no quorum
// this node hosts it, so that callers always talk. The assignment over is one no longer,
// and is replaced by another of its kind; the zero Assignment is none.
func (c *Cluster) Locate(ctx context.Context, room store.Room, over Assignment) (Assignment, error) {
	home := c.Home(room.HomeSite)
	if home == c.config.Self.Site {
		a, err := c.here(ctx, room.ID, store.KindMain, over.of(store.KindMain))
		if !lost(err) {
			return a, err
		}
		c.config.Logger.Warn("hosting a local conference here: the site has no quorum", "room", room.ID, "error", err)
		return c.alone(over), nil
	}
	a, err := c.askHome(ctx, home, room, over.of(store.KindMain))
	if errors.Is(err, ErrNotHome) && home != room.HomeSite { // its drain is over
		a, err = c.askHome(ctx, room.HomeSite, room, over.of(store.KindMain))
	}
	if err == nil {
		return a, nil
	}
	c.config.Logger.Warn("the conference is a local one: its home site cannot be reached", "room", room.ID, "home", home, "error", err)
	return c.local(ctx, room, over)
}

// local is the room's local conference of this site.
func (c *Cluster) local(ctx context.Context, room store.Room, over Assignment) (Assignment, error) {
	a, err := c.here(ctx, room.ID, store.KindLocal, over.of(store.KindLocal))
	if !lost(err) {
		return a, err
	}
	c.config.Logger.Warn("hosting a local conference here: the site has no quorum either", "room", room.ID, "error", err)
	return c.alone(over), nil
}

// ErrAtHome: the room has no local conference in its home site.
var ErrAtHome = errors.New("there is no local conference in the room's home site")

// Local finds or makes the room's local conference of this site whatever is thought of
// the home site: for callers who cannot hear it, though it answers.
func (c *Cluster) Local(ctx context.Context, room store.Room) (Assignment, error) {
	if c.Home(room.HomeSite) == c.config.Self.Site {
		return Assignment{}, ErrAtHome
	}
	return c.local(ctx, room, Assignment{})
}

// here asks the site's registry.
func (c *Cluster) here(ctx context.Context, room store.RoomID, kind store.ConferenceKind, over uint64) (Assignment, error) {
	ask := registry.Assign{Room: string(room), Kind: kinds[kind], Replace: over, Floor: over}
	if over > 0 && kind == store.KindMain {
		// Perhaps all of the site's disks were lost, and the database knows better.
		if seen, err := c.config.Epochs.RoomEpoch(ctx, room); err == nil {
			ask.Floor = max(over, seen)
		}
	}
	err := error(registry.Unknown)
	for _, candidate := range candidates(c.config.Nodes(), c.config.Self, room) {
		ask.Candidate = registry.Instance{Node: candidate.Node, Incarnation: candidate.Incarnation}
		var got registry.Assignment
		if got, err = c.config.Registry.Assign(ctx, ask); err == nil && got.Kind != ask.Kind {
			// Of the time when this site could not reach the room's home, or stood in for it.
			ask.Replace = got.Epoch
			got, err = c.config.Registry.Assign(ctx, ask)
		}
		if err == nil {
			return c.read(got), nil
		}
		if !errors.Is(err, registry.Unknown) && !errors.Is(err, registry.Draining) {
			break
		}
	}
	return Assignment{}, fmt.Errorf("asking the site's registry for room %s: %w", room, err)
}

// kinds are the registry's for the store's.
var kinds = map[store.ConferenceKind]registry.Kind{store.KindMain: registry.KindMain, store.KindLocal: registry.KindLocal}

// lost says whether the registry could not be asked, or had no node to give, unlike that
// it refused.
func lost(err error) bool {
	var refusal registry.Refusal
	return err != nil && (!errors.As(err, &refusal) || refusal == registry.Expired || refusal == registry.Unknown || refusal == registry.Draining)
}

func (c *Cluster) isSilent(site string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config.Clock.Now().Before(c.silent[site])
}

func (c *Cluster) setSilent(site string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent[site] = c.config.Clock.Now().Add(remember)
}

// alone is an assignment to this node that nobody else knows of. Its epoch is above all
// that this node has given so, in this run and before.
func (c *Cluster) alone(over Assignment) Assignment {
	c.mu.Lock()
	defer c.mu.Unlock()
	if over.Alone && over.Epoch >= c.epoch {
		c.epoch = over.Epoch + 1
	}
	return Assignment{Focus: c.config.Self, Kind: store.KindLocal, Epoch: c.epoch, Alone: true}
}

// Current is the room's assignment in this site, as far as this node knows.
func (c *Cluster) Current(room store.RoomID) (Assignment, bool) {
	var a registry.Assignment
	var assigned bool
	err := c.config.Registry.View(func(s *registry.State) { a, assigned = s.Assignment(string(room)) })
	if err != nil || !assigned {
		return Assignment{}, false
	}
	return c.read(a), true
}

// read is the registry's assignment as ours.
func (c *Cluster) read(a registry.Assignment) Assignment {
	kind := store.KindMain
	if a.Kind == registry.KindLocal {
		kind = store.KindLocal
	}
	return Assignment{Focus: store.Place{Site: c.config.Self.Site, Node: a.Focus.Node}, Kind: kind, Epoch: a.Epoch, Run: a.Focus.Incarnation}
}

// Release ends the assignment of a room whose conference has closed. It does not wait.
func (c *Cluster) Release(room store.RoomID, epoch uint64) {
	select {
	case c.releases <- released{room, epoch}:
	default:
	}
}

// Run releases what has ended, until ctx is done. A release that fails is forgotten:
// the room's next caller finds out that the conference is over.
func (c *Cluster) Run(ctx context.Context) error {
	for {
		select {
		case r := <-c.releases:
			within, cancel := context.WithTimeout(ctx, releaseTime)
			if err := c.config.Registry.Release(within, string(r.room), r.epoch); err != nil {
				c.config.Logger.Debug("assignment not released", "room", r.room, "error", err)
			}
			cancel()
		case <-ctx.Done():
			return nil
		}
	}
}
