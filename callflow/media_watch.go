package callflow

import (
	"context"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// How a focus is watched whose RTP does not come here. One goroutine for each such node
// asks it, four times a second, for a sign of life and for reports of some calls.

const (
	// pollEvery is how often a node is asked, and pollTime how long it has to answer.
	pollEvery = 250 * time.Millisecond
	pollTime  = 600 * time.Millisecond
	// reportEvery is how often it is asked about each call whose media is settled.
	reportEvery = 5 * time.Second
	// maxReports is about how many calls it is asked at once; others are in later turns.
	maxReports = 256
	// maxMissing is how often in a row a node may not know a call: its BYE is under way
	// then, or it has been started anew.
	maxMissing = 4
)

// nodeWatches are the nodes that are watched.
type nodeWatches struct {
	mu    sync.Mutex
	nodes map[store.Place]*nodeWatch
}

// nodeWatch watches one of them, while there are legs to it.
type nodeWatch struct {
	engine *Engine
	node   store.Place
	empty  context.Context // done when the last leg has gone
	end    context.CancelFunc

	mu      sync.Mutex
	legs    map[*focusLeg]time.Time // when each was last told of
	heard   time.Time               // the last answer
	failing bool                    // there was none since
}

// watchFor has the focus of a leg watched. It is true once the focus has told of the
// leg, hence can be watched: a node of an older version cannot.
func (e *Engine) watchFor(l *focusLeg) bool {
	e.watches.mu.Lock()
	defer e.watches.mu.Unlock()
	w := e.watches.nodes[l.node]
	if w == nil {
		w = &nodeWatch{engine: e, node: l.node, legs: map[*focusLeg]time.Time{}, heard: e.config.Clock.Now()}
		w.empty, w.end = context.WithCancel(context.Background())
		e.watches.nodes[l.node] = w
		e.gone.Add(1)
		go func() {
			defer e.gone.Done()
			w.run()
		}()
	}
	told, known := w.told(l)
	if !known {
		l.watch = w
	}
	return !told.IsZero()
}

// told is when the node last told of a leg, which is added if it is not known.
func (w *nodeWatch) told(l *focusLeg) (at time.Time, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, known = w.legs[l]
	w.legs[l] = at
	return at, known
}

// unwatch: the leg's focus need not be watched for it any more.
func (e *Engine) unwatch(l *focusLeg) {
	e.watches.mu.Lock()
	defer e.watches.mu.Unlock()
	w := e.watches.nodes[l.node]
	if w == nil || !w.remove(l) {
		return
	}
	delete(e.watches.nodes, l.node)
	w.end()
}

// remove takes a leg out; true: there is none any more.
func (w *nodeWatch) remove(l *focusLeg) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.legs, l)
	return len(w.legs) == 0
}

// silence is how long the node has not answered; zero if it did the last time.
func (w *nodeWatch) silence() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.failing {
		return 0
	}
	return w.engine.config.Clock.Now().Sub(w.heard)
}

func (w *nodeWatch) run() {
	tick := w.engine.config.Clock.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		w.poll()
		select {
		case <-tick.Chan():
		case <-w.empty.Done():
			return
		}
	}
}

// poll asks once.
func (w *nodeWatch) poll() {
	due := w.due()
	ids := make([]store.ParticipantID, len(due))
	for i, l := range due {
		ids[i] = l.participant
	}
	ctx, cancel := context.WithTimeout(w.empty, pollTime)
	defer cancel()
	reports, err := w.engine.config.Foci.Media(ctx, w.node, ids)
	now := w.engine.config.Clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = err != nil
	if err != nil {
		w.engine.config.Logger.Debug("the focus does not answer", "node", w.node.Node, "at", w.node.Site, "error", err)
		return
	}
	w.heard = now
	for _, l := range due {
		w.take(l, reports, now)
	}
}

// due are the calls that the node is asked about.
func (w *nodeWatch) due() (list []*focusLeg) {
	now := w.engine.config.Clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for l, at := range w.legs {
		if len(list) < maxReports && (l.urgent.Load() || now.Sub(at) >= reportEvery) {
			list = append(list, l)
		}
	}
	return list
}

// take notes what the node has told of a leg. The lock is held.
func (w *nodeWatch) take(l *focusLeg, reports map[store.ParticipantID]MediaReport, now time.Time) {
	r, known := reports[l.participant]
	if !known {
		if l.last.missed() >= maxMissing {
			l.release(store.CauseLost)
		}
		return
	}
	l.last.note(r)
	if _, watched := w.legs[l]; watched {
		w.legs[l] = now
	}
}
