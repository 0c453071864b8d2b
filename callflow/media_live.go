package callflow

import (
	"context"
	"sync"

	"github.com/conclave-voice/conclave/store"
)

// maxQualityCallers bounds how many callers one question may be about: an answer has less
// than 1 kB for each, and an RPC takes 1 MiB.
const maxQualityCallers = 1000

// Qualities are how the media of callers is now: of those whose calls this node has, and of
// those of other nodes that it mixes. Of the former that are mixed elsewhere, it asks
// there. Those of whom it knows nothing, and all beyond a thousand, are left out.
func (e *Engine) Qualities(ctx context.Context, callers []store.ParticipantID) map[store.ParticipantID]Quality {
	known := map[store.ParticipantID]Quality{}
	away := map[store.Place][]*focusLeg{}
	for _, p := range callers[:min(len(callers), maxQualityCallers)] {
		c, leg := e.mediaOf(p)
		if c == nil {
			continue
		}
		if media := c.live.Load(); media != nil {
			known[p] = qualityOf(media)
		}
		if leg != nil {
			away[leg.node] = append(away[leg.node], leg)
		}
	}
	e.joinFar(ctx, known, away)
	return known
}

// mediaOf is the call of a caller, and its leg to another node, if it has one.
func (e *Engine) mediaOf(p store.ParticipantID) (*call, *focusLeg) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	if c := e.hosting.own[p]; c != nil {
		return c, e.hosting.legs[p]
	}
	return e.hosting.callers[p], nil
}

// joinFar adds what the nodes that mix callers know of them. It asks all at once.
func (e *Engine) joinFar(ctx context.Context, known map[store.ParticipantID]Quality, away map[store.Place][]*focusLeg) {
	var mu sync.Mutex
	var asked sync.WaitGroup
	for node, legs := range away {
		asked.Go(func() {
			far := e.askQualities(ctx, node, legs)
			mu.Lock()
			defer mu.Unlock()
			for _, l := range legs {
				if f, told := far[l.participant]; told {
					f.Media = string(MediaRelay)
					if l.past() {
						f.Media = string(MediaDirect)
					}
					known[l.participant] = known[l.participant].with(f)
				}
			}
		})
	}
	asked.Wait()
}

func (e *Engine) askQualities(ctx context.Context, node store.Place, legs []*focusLeg) map[store.ParticipantID]Quality {
	ids := make([]store.ParticipantID, len(legs))
	for i, l := range legs {
		ids[i] = l.participant
	}
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	far, err := e.config.Foci.Qualities(ctx, node, ids)
	if err != nil {
		e.config.Logger.Debug("the focus did not tell how the media is", "node", node.Node, "error", err)
	}
	return far
}
