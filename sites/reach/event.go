package reach

import "time"

// Event is something that the machine learns.
type Event interface{ site() string }

// Watching says which nodes of a site are probed from now on, and how many it has that
// could be. A node that is not in the list any more is forgotten; so is a site that has
// no node, unless its mode is forced.
type Watching struct {
	Site  string
	Nodes []string
	Size  int
}

// Probed is the result of one probe. Results may come in any order.
type Probed struct {
	Site, Node string
	Sent       time.Time
	RTT        time.Duration // of an answer
	Failure    string        // empty: it answered
}

// Gossip is a hint: how many of the site's nodes are alive by gossip.
type Gossip struct {
	Site         string
	Alive, Known int
}

// Testimony is what a third site says of its own probes of the site.
type Testimony struct {
	Site, Witness string
	Up            bool
}

// Forced is the operator's word.
type Forced struct {
	Site string
	Mode Mode
}

// Tick says that time has passed.
type Tick struct{}

func (e Watching) site() string  { return e.Site }
func (e Probed) site() string    { return e.Site }
func (e Gossip) site() string    { return e.Site }
func (e Testimony) site() string { return e.Site }
func (e Forced) site() string    { return e.Site }
func (Tick) site() string        { return "" }

// Effects are what follows from an event.
type Effects struct {
	Changes []Change
	// Ask names the sites about which others should be asked now; their answers come
	// back as Testimony.
	Ask []string
	// Wake is when the next Tick is due at the latest, maybe at once; zero: no need.
	Wake time.Time
}

// Change is a new verdict, to be told and logged.
type Change struct {
	Site     string
	From, To Verdict
	Why      string
}
