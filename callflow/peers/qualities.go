package peers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/store"
)

const (
	// qualityTime is how long is waited for what nodes tell of callers.
	qualityTime = time.Second
	// perQuestion is how many callers one question is about: an answer has less than 1 kB for
	// each, and an RPC takes 1 MiB.
	perQuestion = 500
)

// Callers tells how the media of this node's callers is; a callflow.Engine.
type Callers interface {
	Qualities(ctx context.Context, callers []store.ParticipantID) map[store.ParticipantID]callflow.Quality
}

// Qualities tells how the media of participants is, wherever their calls are: it asks the
// nodes that have taken them, which ask those that mix them.
type Qualities struct {
	self   store.Place
	here   Callers
	client *Client
}

// NewQualities makes one at the node self; client is nil where there are no others.
func NewQualities(self store.Place, here Callers, client *Client) *Qualities {
	return &Qualities{self: self, here: here, client: client}
}

// Qualities of participants; those that have left are not asked about, and those of whose
// nodes there is no answer within a second are left out.
func (q *Qualities) Qualities(ctx context.Context, list []store.Participant) map[store.ParticipantID]callflow.Quality {
	at := map[store.Place][]store.ParticipantID{}
	for _, p := range list {
		if p.LeftAt.IsZero() {
			at[p.Ingress] = append(at[p.Ingress], p.ID)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, qualityTime)
	defer cancel()
	known := map[store.ParticipantID]callflow.Quality{}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for node, all := range at {
		for ids := range slices.Chunk(all, perQuestion) {
			asked.Go(func() {
				told := q.ask(ctx, node, ids)
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(known, told)
			})
		}
	}
	asked.Wait()
	return known
}

func (q *Qualities) ask(ctx context.Context, node store.Place, ids []store.ParticipantID) map[store.ParticipantID]callflow.Quality {
	if node == q.self {
		return q.here.Qualities(ctx, ids)
	}
	if q.client == nil {
		return nil
	}
	told, err := q.client.Qualities(ctx, node, ids)
	if err != nil {
		return nil // of an older version, or out of reach; the rest of the answer is not worth less
	}
	return told
}
