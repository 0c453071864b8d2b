package reach

import (
	"maps"
	"slices"
	"time"
)

// site is what the machine knows of one other site.
type site struct {
	name string
	own  Verdict // by the probes
	// since is when own became what it is.
	since time.Time
	mode  Mode
	// told is the verdict last seen from outside.
	told   Verdict
	toldAt time.Time

	nodes map[string]*node // those that are probed
	size  int              // those that could be

	falls   int       // losses of trust, each soon after its gain
	trusted time.Time // when own last became Up after Down; zero: never

	alive, known int // by gossip
	witnesses    map[string]witness
	askAt        time.Time
}

// node is what the probes of one node say.
type node struct {
	failures int // in a row
	// late tells that the last result was a failure that did not count.
	late bool
	// gone tells that it was silent already when another node of the site answered. Its
	// silence says nothing of the site.
	gone     bool
	answered time.Time // when it last did; zero: never
	sent     time.Time // when the probe was that it answered
	rtt      time.Duration
	failure  string // the last
}

// witness is what a third site says.
type witness struct {
	up bool
	at time.Time
}

// take notes an event.
func (s *site) take(now time.Time, e Event, c Config) {
	switch e := e.(type) {
	case Watching:
		s.watch(e)
	case Probed:
		if n := s.nodes[e.Node]; n != nil {
			n.take(now, e, c)
			s.tellGone(c)
		}
	case Gossip:
		s.alive, s.known = e.Alive, e.Known
	case Testimony:
		maps.DeleteFunc(s.witnesses, func(_ string, w witness) bool { return now.Sub(w.at) > c.ForgetAfter })
		s.witnesses[e.Witness] = witness{e.Up, now}
	case Forced:
		s.mode = e.Mode
	}
}

func (s *site) watch(e Watching) {
	s.size = e.Size
	for name := range s.nodes {
		if !slices.Contains(e.Nodes, name) {
			delete(s.nodes, name)
		}
	}
	for _, name := range e.Nodes {
		if s.nodes[name] == nil {
			s.nodes[name] = &node{}
		}
	}
}

// take notes a result. A failure of a probe that was sent before one that was answered
// is old news.
func (n *node) take(now time.Time, e Probed, c Config) {
	switch {
	case e.Failure == "":
		if !e.Sent.Before(n.sent) {
			*n = node{answered: now, sent: e.Sent, rtt: e.RTT, failure: n.failure}
		}
	case e.Sent.Before(n.sent):
	case now.Sub(e.Sent) > c.Timeout+c.Slack && !n.late:
		n.late = true // we stood still; once more in a row, and it counts
	default:
		n.failures++
		n.failure = e.Failure
	}
}

// step moves the verdict as far as it goes.
func (s *site) step(now time.Time, c Config) {
	switch s.own {
	case Unknown:
		if s.dead(now, c) {
			s.move(now, Down)
		} else if s.answers() {
			s.move(now, Up)
		}
	case Up:
		if s.failing(c.Doubts, 2*c.Doubts) {
			s.move(now, Suspect)
			s.step(now, c) // where Failures are reached with the same event
		}
	case Suspect:
		switch {
		case s.dead(now, c):
			s.fall(now, c)
		case s.failing(c.Doubts, 2*c.Doubts):
			s.since = now
		case now.Sub(s.since) >= c.Calm && s.answers():
			s.move(now, Up)
		}
	case Down:
		if s.answers() {
			s.move(now, Returning)
		}
	case Returning:
		switch {
		case s.failing(c.Doubts, 2*c.Doubts):
			s.move(now, Down)
		case now.Sub(s.since) >= s.hold(c) && s.answers():
			s.move(now, Up)
			s.trusted = now
		}
	}
}

func (s *site) move(now time.Time, to Verdict) { s.own, s.since = to, now }

// fall is the way from trust to Down.
func (s *site) fall(now time.Time, c Config) {
	if !s.trusted.IsZero() && now.Sub(s.trusted) < c.ForgetAfter {
		s.falls++
	} else {
		s.falls = 0
	}
	s.move(now, Down)
}

// hold is how long the site must answer to be trusted.
func (s *site) hold(c Config) time.Duration {
	hold := c.Hold
	for range s.falls {
		if hold *= 2; hold >= c.MaxHold {
			return c.MaxHold
		}
	}
	return hold
}

// verdict is what is seen from outside.
func (s *site) verdict() Verdict {
	switch s.mode {
	case ForceUp:
		return Up
	case ForceDown:
		return Down
	default:
		return s.own
	}
}

// answers tells whether the last probe of any node was answered.
func (s *site) answers() bool {
	for _, n := range s.nodes {
		if n.failures == 0 && !n.answered.IsZero() {
			return true
		}
	}
	return false
}

// tellGone marks the nodes that are silent while another answers.
func (s *site) tellGone(c Config) {
	if !s.answers() {
		return
	}
	for _, n := range s.nodes {
		n.gone = n.failures >= c.Failures
	}
}

// evidence are the nodes whose silence says something: those that are not gone, or all
// if there is no other.
func (s *site) evidence() []*node {
	var there, all []*node
	for _, n := range s.nodes {
		all = append(all, n)
		if !n.gone {
			there = append(there, n)
		}
	}
	if len(there) > 0 {
		return there
	}
	return all
}

// failing tells whether every node has failed so many times in a row, and all together
// so many times.
func (s *site) failing(each, all int) bool {
	sum := 0
	for _, n := range s.evidence() {
		if n.failures < each {
			return false
		}
		sum += n.failures
	}
	return sum >= all && sum > 0
}

// dead tells whether the site fails beyond doubt: see the package's documentation.
func (s *site) dead(now time.Time, c Config) bool {
	nodes, silent := s.evidence(), 0
	for _, n := range nodes {
		if n.failures >= c.Failures {
			silent++
		}
	}
	gone := len(s.nodes) - len(nodes)
	if silent == 0 || silent < min(2, s.size-gone) {
		return false
	}
	all := 2 * c.Failures
	if s.confirmed(now, c) {
		all = c.Failures
	}
	return s.failing(c.Doubts, all)
}

// confirmed tells whether gossip or a third site says that the site is down, and none
// that it is up.
func (s *site) confirmed(now time.Time, c Config) bool {
	confirmed := s.known > 0 && s.alive == 0
	for _, w := range s.witnesses {
		if now.Sub(w.at) > 2*c.AskEvery {
			continue
		}
		if w.up {
			return false
		}
		confirmed = true
	}
	return confirmed
}

// doubtful tells whether what others say of the site is of interest.
func (s *site) doubtful() bool {
	for _, n := range s.nodes {
		if n.failures > 0 {
			return s.own != Up
		}
	}
	return false
}

// due is when the passing of time alone changes something; zero: never.
func (s *site) due(now time.Time, c Config) time.Time {
	var due time.Time
	switch s.own {
	case Suspect:
		due = s.since.Add(c.Calm)
	case Returning:
		due = s.since.Add(s.hold(c))
	}
	if !due.After(now) {
		due = time.Time{} // it waits for an answer, not for the time
	}
	if s.doubtful() {
		due = earliest(due, s.askAt)
	}
	return due
}
