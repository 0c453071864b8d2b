package server

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/cmd/node/clustering"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
)

const (
	// evacuateEvery is how often the node looks for conferences that are to run elsewhere,
	// and evacuateAtOnce how many it gives away at once.
	evacuateEvery  = 500 * time.Millisecond
	evacuateAtOnce = 16
	evacuateTime   = 5 * time.Second // for each
)

// drain refuses new calls, or takes them again. It does not wait: evacuate does the rest.
func (n *Node) drain(d clustering.Drain) {
	n.draining.Store(&d)
	n.logger.Info("draining", "on", d.On, "calls_end", d.Until)
	n.admit()
}

// evacuate gives the conferences away that are not to run here, whose callers are moved by
// the nodes that took their calls: those of a node that drains, and those whose room has
// another home now, for a site drains, or no longer. It looks again and again, so that
// neither a restart nor a node that cannot take one for now leaves any behind. When a
// drain's time is over, it ends the calls that are left.
func (n *Node) evacuate(ctx context.Context) error {
	var stay map[store.ConferenceID]bool // for now: nobody takes them
	for n.sleep(ctx, evacuateEvery) == nil {
		stay = n.moveAway(ctx, stay)
		if d := n.draining.Load(); d.On && !d.Until.IsZero() && n.clock.Now().After(d.Until) {
			n.calls.ReleaseAll()
		}
	}
	return nil
}

// moveAway gives away what is to be, and returns what nobody takes. Of those in told the
// log has it already.
func (n *Node) moveAway(ctx context.Context, told map[store.ConferenceID]bool) map[store.ConferenceID]bool {
	var moving errgroup.Group
	moving.SetLimit(evacuateAtOnce)
	var mu sync.Mutex
	stay := map[store.ConferenceID]bool{}
	for _, c := range n.host.Conferences() {
		// One that was begun without the site's quorum is this node's alone until it ends.
		if c.Alone() || !n.draining.Load().On && n.cluster.Locator().Stays(c.Room(), c.Row().Kind) {
			continue
		}
		moving.Go(func() error {
			err := n.moveOne(ctx, c)
			if err == nil {
				return nil
			}
			if !told[c.ID()] {
				n.logger.Warn("a conference stays here for now", "conference", c.ID(), "room", c.Room().ID, "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			stay[c.ID()] = true
			return nil
		})
	}
	_ = moving.Wait()
	return stay
}

func (n *Node) moveOne(ctx context.Context, c *conference.Conference) error {
	ctx, cancel := context.WithTimeout(ctx, evacuateTime)
	defer cancel()
	row := c.Row()
	to, err := n.cluster.Locator().MoveAway(ctx, c.Room(), row.Kind, row.Epoch)
	if err != nil {
		return err
	}
	n.logger.Info("a conference moves", "conference", row.ID, "room", row.RoomID, "site", to.Focus.Site, "node", to.Focus.Node)
	reason := store.EndMoved
	if n.draining.Load().On {
		reason = store.EndDrain
	}
	n.host.Move(row.RoomID, row.Kind, to.Epoch, reason)
	return nil
}
