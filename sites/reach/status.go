package reach

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status explains a verdict.
type Status struct {
	Site    string
	Verdict Verdict
	Since   time.Time // of the verdict
	Mode    Mode
	Own     Verdict // by the probes alone, which Mode may override
	Why     string  // in words
	Nodes   []NodeStatus
	Size    int // nodes that could be probed
	// Alive and Known are nodes of the site by gossip.
	Alive, Known int
	Witnesses    []Witness
	// Hold is how long the site must answer to be trusted after being Down.
	Hold time.Duration
	// Falls are the losses of trust that lengthened Hold.
	Falls int
}

// NodeStatus is what the probes of one node say.
type NodeStatus struct {
	Node     string
	Failures int           // in a row
	Answered time.Time     // last; zero: never
	RTT      time.Duration // then
	Failure  string        // the last; empty: none yet
}

// Witness is what another site last said of its own verdict.
type Witness struct {
	Site string
	Up   bool
	At   time.Time
}

// Verdict is what is thought of the site now; Unknown for a site not known.
func (m *Machine) Verdict(site string) Verdict {
	if s := m.sites[site]; s != nil {
		return s.verdict()
	}
	return Unknown
}

// Own is what the probes alone say of the site, whatever the operator says.
func (m *Machine) Own(site string) Verdict {
	if s := m.sites[site]; s != nil {
		return s.own
	}
	return Unknown
}

// Status explains the verdict on a site. ok is false for a site not known.
func (m *Machine) Status(now time.Time, site string) (st Status, ok bool) {
	s := m.sites[site]
	if s == nil {
		return Status{}, false
	}
	st = Status{Site: s.name, Verdict: s.verdict(), Since: s.toldAt, Mode: s.mode, Own: s.own,
		Why: s.why(now, m.config), Size: s.size, Alive: s.alive, Known: s.known,
		Hold: s.hold(m.config), Falls: s.falls}
	if s.toldAt.IsZero() {
		st.Since = s.since
	}
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[name]
		st.Nodes = append(st.Nodes, NodeStatus{name, n.failures, n.answered, n.rtt, n.failure})
	}
	for _, name := range slices.Sorted(maps.Keys(s.witnesses)) {
		st.Witnesses = append(st.Witnesses, Witness{name, s.witnesses[name].up, s.witnesses[name].at})
	}
	return st, true
}

// All explains all verdicts, by site.
func (m *Machine) All(now time.Time) []Status {
	var all []Status
	for _, name := range slices.Sorted(maps.Keys(m.sites)) {
		st, _ := m.Status(now, name)
		all = append(all, st)
	}
	return all
}

// why puts the verdict's reasons in words.
func (s *site) why(now time.Time, c Config) string {
	var parts []string
	if s.mode != Auto {
		parts = append(parts, fmt.Sprintf("forced %s by the operator; the probes alone say %s", s.mode, s.own))
	}
	parts = append(parts, s.whyOwn(now, c))
	if s.own == Down || s.own == Suspect || s.own == Returning {
		parts = append(parts, s.hearsay(now, c)...)
	}
	return strings.Join(parts, "; ")
}

func (s *site) whyOwn(now time.Time, c Config) string {
	switch s.own {
	case Unknown:
		if s.size == 0 {
			return "no node of it is known"
		}
		return "no probe has ended yet"
	case Up:
		return s.answering()
	case Returning:
		left := s.hold(c) - now.Sub(s.since)
		text := fmt.Sprintf("%s for %s, trusted in %s", s.answering(), round(now.Sub(s.since)), round(left))
		if s.falls > 0 {
			text += fmt.Sprintf(" (it must hold for %s after %s)", s.hold(c), count(s.falls, "fall"))
		}
		return text
	default:
		return s.failuresInWords(now)
	}
}

// answering tells how many of the probed nodes do.
func (s *site) answering() string {
	answering := 0
	for _, n := range s.nodes {
		if n.failures == 0 && !n.answered.IsZero() {
			answering++
		}
	}
	return fmt.Sprintf("%d of %s answering", answering, count(len(s.nodes), "probed node"))
}

func (s *site) failuresInWords(now time.Time) string {
	if len(s.nodes) == 0 {
		return "no node of it can be probed"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[name]
		text := fmt.Sprintf("%s: %s in a row", name, count(n.failures, "failure"))
		if !n.answered.IsZero() {
			text += fmt.Sprintf(", last answer %s ago", round(now.Sub(n.answered)))
		}
		if n.failure != "" && n.failures > 0 {
			text += fmt.Sprintf(" (%s)", n.failure)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// hearsay is what gossip and other sites say.
func (s *site) hearsay(now time.Time, c Config) []string {
	var parts []string
	if s.known > 0 {
		parts = append(parts, fmt.Sprintf("gossip has %d of %s alive", s.alive, count(s.known, "node")))
	}
	var reach, not []string
	for _, name := range slices.Sorted(maps.Keys(s.witnesses)) {
		w := s.witnesses[name]
		switch {
		case now.Sub(w.at) > 2*c.AskEvery:
		case w.up:
			reach = append(reach, name)
		default:
			not = append(not, name)
		}
	}
	if len(reach) > 0 {
		parts = append(parts, fmt.Sprintf("%s can reach it: the path from here is cut, not the site down",
			strings.Join(reach, ", ")))
	}
	if len(not) > 0 {
		parts = append(parts, fmt.Sprintf("%s cannot reach it either", strings.Join(not, ", ")))
	}
	return parts
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
