package reach

import (
	"maps"
	"slices"
	"time"
)

// Machine holds the verdicts on all other sites. It is not safe for concurrent use.
type Machine struct {
	config Config
	sites  map[string]*site
}

// New makes a machine that knows no site yet. The configuration must be valid.
func New(c Config) *Machine { return &Machine{config: c, sites: map[string]*site{}} }

// Step takes an event at the time, which never goes back.
func (m *Machine) Step(now time.Time, e Event) Effects {
	var out Effects
	if _, tick := e.(Tick); tick {
		for _, name := range slices.Sorted(maps.Keys(m.sites)) {
			m.judge(now, m.sites[name], &out)
		}
	} else if s := m.find(now, e); s != nil {
		s.take(now, e, m.config)
		m.judge(now, s, &out)
	}
	for _, s := range m.sites {
		out.Wake = earliest(out.Wake, s.due(now, m.config))
	}
	return out
}

// find gives the site of an event. Only a probe's target and the operator make one
// known.
func (m *Machine) find(now time.Time, e Event) *site {
	if s := m.sites[e.site()]; s != nil {
		return s
	}
	switch e := e.(type) {
	case Watching:
		if e.Size == 0 {
			return nil
		}
	case Forced:
		if e.Mode == Auto {
			return nil
		}
	default:
		return nil
	}
	s := &site{name: e.site(), since: now, nodes: map[string]*node{}, witnesses: map[string]witness{}}
	m.sites[s.name] = s
	return s
}

// judge brings the verdict up to date and tells a change of what is seen from outside.
func (m *Machine) judge(now time.Time, s *site, out *Effects) {
	before := s.told
	s.step(now, m.config)
	if s.size == 0 && s.mode == Auto {
		s.move(now, Unknown)
	}
	if after := s.verdict(); after != before {
		s.told, s.toldAt = after, now
		out.Changes = append(out.Changes, Change{s.name, before, after, s.why(now, m.config)})
	}
	if s.size == 0 && s.mode == Auto {
		delete(m.sites, s.name)
		return
	}
	if s.doubtful() && !now.Before(s.askAt) {
		s.askAt = now.Add(m.config.AskEvery)
		out.Ask = append(out.Ask, s.name)
	}
}

// earliest treats the zero time as never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
