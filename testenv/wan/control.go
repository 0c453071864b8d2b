package wan

import (
	"fmt"
	"slices"
	"strings"
)

// Impair sets what a direction does to packets from now on: of all classes that have
// no impairment of their own if class is empty, else of that class alone.
func (r *Router) Impair(l Link, class string, i Impairment) error {
	if err := i.Validate(); err != nil {
		return fmt.Errorf("impair %s: %w", l, err)
	}
	return r.change(l, class, func(p *path) { p.base = i }, func(c *classState) { c.own = &i })
}

// Clear makes a direction perfect again (class empty; the impairments of classes go
// too), or lets a class do as the rest of the direction does. It heals no cut.
func (r *Router) Clear(l Link, class string) error {
	return r.change(l, class, func(p *path) {
		p.base = Impairment{}
		for i := range p.classes {
			p.classes[i].own = nil
		}
	}, func(c *classState) { c.own = nil })
}

// Cut drops all packets of a direction (class empty) or of one class in it, those
// under way included: once it has returned, nothing is given to the device any more,
// but for a packet whose writing has begun.
func (r *Router) Cut(l Link, class string) error {
	return r.change(l, class, func(p *path) { p.cut = true }, func(c *classState) { c.cut = true })
}

// Heal takes back a cut. With an empty class it takes back those of single classes too.
func (r *Router) Heal(l Link, class string) error {
	return r.change(l, class, func(p *path) {
		p.cut = false
		for i := range p.classes {
			p.classes[i].cut = false
		}
	}, func(c *classState) { c.cut = false })
}

// change applies all or, if a class is named, one.
func (r *Router) change(l Link, class string, all func(*path), one func(*classState)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, found := r.paths[l]
	if !found {
		return fmt.Errorf("there is no link %s: the sites are %s", l, strings.Join(r.siteNames(), ", "))
	}
	if class == "" {
		all(p)
		return nil
	}
	i := slices.Index(r.names, class)
	if i < 0 {
		return fmt.Errorf("there is no class %q of packets: there are %s", class, strings.Join(r.names, ", "))
	}
	one(&p.classes[i])
	return nil
}

func (r *Router) siteNames() []string {
	var names []string
	for _, e := range r.ends {
		names = append(names, e.Name)
	}
	return names
}

func (l Link) String() string { return l.From + " → " + l.To }

// State is how a direction is set.
type State struct {
	Link
	Impairment
	Cut     bool                  `json:"cut,omitempty"`
	Classes map[string]Impairment `json:"classes,omitempty"` // that have their own
	CutOnly []string              `json:"cutOnly,omitempty"` // classes that are cut
}

// States returns how all directions are set, by name.
func (r *Router) States() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	var states []State
	for l, p := range r.paths {
		s := State{Link: l, Impairment: p.base, Cut: p.cut}
		for i, c := range p.classes {
			if c.own != nil {
				if s.Classes == nil {
					s.Classes = map[string]Impairment{}
				}
				s.Classes[r.names[i]] = *c.own
			}
			if c.cut {
				s.CutOnly = append(s.CutOnly, r.names[i])
			}
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b State) int { return strings.Compare(a.Link.String(), b.Link.String()) })
	return states
}
