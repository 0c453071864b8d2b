package labcommands

import (
	"fmt"
	"strings"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// Sites and nodes are found whatever the case: "node lab cut A B" is as good as "a b".

func findSite(p lab.Plan, name string) (lab.Site, error) { return p.Site(strings.ToLower(name)) }

// homeSite finds a site that has nodes, and not only the database.
func homeSite(p lab.Plan, name string) (lab.Site, error) {
	s, err := findSite(p, name)
	if err == nil && len(s.Nodes) == 0 {
		err = fmt.Errorf("site %s has no nodes, only the database: there are %s", s.Name, strings.Join(homes(p), ", "))
	}
	return s, err
}

// homes are the names of the sites that have nodes.
func homes(p lab.Plan) (names []string) {
	for _, s := range p.Sites {
		if len(s.Nodes) > 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

func findNode(p lab.Plan, name string) (lab.Node, error) {
	var names []string
	for _, n := range p.Nodes() {
		if strings.EqualFold(n.Name, name) {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return lab.Node{}, fmt.Errorf("there is no node %q: there are %s", name, strings.Join(names, ", "))
}

// findLinks are the links, one direction of each, that one or two sites name: that
// between two, or all around one; all if none is named.
func findLinks(p lab.Plan, names []string) (links []wan.Link, err error) {
	var named []string
	for _, n := range names {
		s, err := findSite(p, n)
		if err != nil {
			return nil, err
		}
		named = append(named, s.Name)
	}
	if len(named) == 2 {
		if named[0] == named[1] {
			return nil, fmt.Errorf("%s and %s are one site: name two", names[0], names[1])
		}
		return []wan.Link{{From: named[0], To: named[1]}}, nil
	}
	for i, from := range p.Sites {
		for _, to := range p.Sites[i+1:] {
			switch {
			case len(named) == 0 || from.Name == named[0]:
				links = append(links, wan.Link{From: from.Name, To: to.Name})
			case to.Name == named[0]:
				links = append(links, wan.Link{From: to.Name, To: from.Name})
			}
		}
	}
	return links, nil
}
