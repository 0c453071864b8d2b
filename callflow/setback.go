package callflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// A node that has fallen silent may still be the one that the room is assigned to: its
// site has not noticed yet, or the node lives and only its RTP does not arrive. A caller
// goes back to it when it gives a sign of life, and not for ever.
const (
	// signTime is how long the node has for it. It is more than the longest round trip
	// between sites, and short beside the time in which a site notices a death.
	signTime = 600 * time.Millisecond
	// maxReturns is how often in a row a caller goes back to the same node, if there is
	// another place to go to: after that it is there within 7 s of the first packet that
	// was missing. Where there is none it goes back for moveTime.
	maxReturns = 2
	// steadyTime is how long the node's RTP must arrive to be trusted as before.
	steadyTime = 10 * time.Second
)

var (
	errStillSilent = errors.New("the room is still assigned to the node that has fallen silent")
	errNoAudio     = errors.New("the audio of the conference's node does not arrive, though the node answers")
)

// setback is from which node a caller was moved last, and how often in a row.
type setback struct {
	from  store.Place // zero: none
	times int
	first time.Time
	back  time.Time // when the caller went back to it; zero: not yet
}

// lost notes that a node has fallen silent.
func (s *setback) lost(node store.Place, now time.Time) {
	if s.from != node || s.back.IsZero() || now.Sub(s.back) >= steadyTime {
		*s = setback{from: node, first: now}
	}
	s.times++
}

// moved notes where the caller goes on.
func (s *setback) moved(to store.Place, now time.Time) {
	if to == s.from {
		s.back = now
	}
}

// relocate is where the caller goes on. It is not back to a silent node that gives no
// sign of life: that is asked again. Nor is it, once more, to one that does, but whose
// RTP never arrives. Its site cannot help there, for the other callers hear the node; but
// to reach a site is to hear it, so the room is a local conference for those who do not.
// At home there is none, and in the end the caller is told (DESIGN, invariant 4: moving is
// bounded).
func (c *call) relocate() (sites.Assignment, error) {
	where, err := c.locate(c.stale)
	if err != nil || where.Focus != c.setback.from || where.Focus == c.engine.config.Place {
		return where, err
	}
	if c.setback.times > maxReturns {
		c.logger.Error("the audio of a node does not arrive here, though the node answers: see what drops UDP on the way from its RTP ports", "node", where.Focus.Node, "at", where.Focus.Site)
		ctx, cancel := c.within()
		defer cancel()
		local, err := c.engine.config.Locator.Local(ctx, c.found.Room)
		if err == nil {
			return local, nil
		}
		if c.now().Sub(c.setback.first) > moveTime {
			return where, fmt.Errorf("%w: %w", errNoAudio, err)
		}
	}
	if !c.givesSign(where.Focus) {
		return where, errStillSilent
	}
	return where, nil
}

// givesSign asks a node for a sign of life.
func (c *call) givesSign(node store.Place) bool {
	ctx, cancel := context.WithTimeout(context.Background(), signTime)
	defer cancel()
	return c.engine.config.Foci.Ping(ctx, node) == nil
}
