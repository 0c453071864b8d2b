package sites

import (
	"context"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// While a site drains, another stands in for it: its deputy, which the registries of all
// sites know from the order. Who has not heard of the order asks the site itself, which
// passes the question on; so there is one answer, and one main conference of a room.

// ErrNotHome: the site that was asked is neither the room's home nor stands in for it.
var ErrNotHome = errors.New("the room's conferences do not run in this site")

// maxDeputies is how many sites may stand in for one another in a row.
const maxDeputies = 16

// Home is the site where main conferences of a room run now, whose home site is given:
// that one or, while it drains, its deputy. A site that drains and has no deputy keeps
// its rooms.
func (c *Cluster) Home(site string) string {
	home := site
	_ = c.config.Registry.View(func(s *registry.State) {
		for range maxDeputies {
			drain := s.Order(registry.DrainSite, home)
			if !drain.On || drain.Deputy == "" {
				return
			}
			home = drain.Deputy
		}
		home = site // they name one another
	})
	return home
}

// WhereIs answers a node of another site, whose callers want into a room of this one, or
// of one that this one stands in for. The home of rooms passes the question on while it
// drains; any other site answers with ErrNotHome.
func (c *Cluster) WhereIs(ctx context.Context, room store.Room, over uint64) (Assignment, error) {
	self := c.config.Self.Site
	if room.HomeSite == "" { // a node of an earlier version asks homes only, and does not say which
		room.HomeSite = self
	}
	home := c.Home(room.HomeSite)
	if home != self && room.HomeSite != self { // perhaps the one who asks knows more
		c.config.Learn(ctx)
		home = c.Home(room.HomeSite)
	}
	switch self {
	case home:
		return c.here(ctx, room.ID, store.KindMain, over)
	case room.HomeSite:
		return c.askHome(ctx, home, room, over)
	}
	return Assignment{}, fmt.Errorf("room %s of site %s: %w", room.ID, room.HomeSite, ErrNotHome)
}

// Stays says whether a conference of the room may go on in this site.
func (c *Cluster) Stays(room store.Room, kind store.ConferenceKind) bool {
	return kind != store.KindMain || c.Home(room.HomeSite) == c.config.Self.Site
}

// MoveAway gives a room, whose conference here has the epoch, to another node: of this
// site or, while the site drains or no longer stands in for the room's home, of the site
// where it is to run. It fails when there is none that takes it.
func (c *Cluster) MoveAway(ctx context.Context, room store.Room, kind store.ConferenceKind, epoch uint64) (Assignment, error) {
	if c.Stays(room, kind) {
		return c.here(ctx, room.ID, kind, epoch)
	}
	return c.askHome(ctx, c.Home(room.HomeSite), room, epoch)
}
