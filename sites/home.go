package sites

import (
	"context"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/store"
)

// askHome asks the room's home site, or the one that stands in for it: a few of its nodes at once, of which the first
// answer holds. A site without a sign of life is not waited for; one that lives and is
// electing is.
func (c *Cluster) askHome(ctx context.Context, site string, room store.Room, over uint64) (Assignment, error) {
	if !c.config.Reachable(site) {
		return Assignment{}, fmt.Errorf("site %s is not reachable", site)
	}
	if c.isSilent(site) {
		return Assignment{}, fmt.Errorf("site %s did not answer a moment ago", site)
	}
	nodes := first(of(c.config.Nodes(), site, room.ID), askNodes)
	if len(nodes) == 0 {
		return Assignment{}, fmt.Errorf("no node of site %s is known", site)
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answers, signs := make(chan answer, len(nodes)), make(chan error, len(nodes))
	for _, node := range nodes {
		go func() {
			a, err := c.config.Peers.WhereIs(ctx, node.Place, room, over)
			answers <- answer{a, err}
		}()
		go func() {
			ctx, cancel := context.WithTimeout(ctx, pingTime)
			defer cancel()
			signs <- c.config.Peers.Ping(ctx, node.Place)
		}()
	}
	return c.firstAnswer(site, len(nodes), answers, signs)
}

type answer struct {
	Assignment
	err error
}

// firstAnswer waits for one of n nodes to answer, or for none to be alive.
func (c *Cluster) firstAnswer(site string, n int, answers <-chan answer, signs <-chan error) (Assignment, error) {
	for failed, silent := 0, 0; ; {
		select {
		case a := <-answers:
			if a.err == nil || errors.Is(a.err, ErrNotHome) {
				return a.Assignment, a.err
			}
			c.config.Logger.Debug("a node of the home site did not say where the conference is", "site", site, "error", a.err)
			if failed++; failed == n {
				c.setSilent(site)
				return Assignment{}, a.err
			}
		case err := <-signs:
			if err == nil {
				signs = nil // it lives: its answer is worth waiting for
				continue
			}
			if silent++; silent == n {
				c.setSilent(site)
				return Assignment{}, fmt.Errorf("no node of site %s gives a sign of life: %w", site, err)
			}
		}
	}
}
