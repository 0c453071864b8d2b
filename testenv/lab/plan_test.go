package lab

import (
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	p, database, err := newPlan([]SiteSpec{{"alpha", 2}, {"beta", 1}}, "db", "/lab")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sites) != 3 || p.Sites[2].Name != "db" || len(p.Sites[2].Nodes) != 0 || database.String() != "10.3.0.200" {
		t.Errorf("a database at a site of its own: %+v, %v", p.Sites, database)
	}
	n := p.Nodes()[2]
	if n.Name != "beta-1" || n.Site != "beta" || n.At(SIPPort).String() != "10.2.0.1:5060" || n.Dir != "/lab/beta-1" {
		t.Errorf("node %+v", n)
	}
	if p, database, err = newPlan([]SiteSpec{{"alpha", 2}, {"beta", 1}}, "beta", "/lab"); err != nil || len(p.Sites) != 2 || database.String() != "10.2.0.200" {
		t.Errorf("a database at a site of nodes: %d sites, %v, %v", len(p.Sites), database, err)
	}
	if _, err := p.Site("gamma"); err == nil || !strings.Contains(err.Error(), "alpha beta") {
		t.Errorf("error %v", err)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	for _, bad := range [][]SiteSpec{nil, {{"a", 1}, {"a", 1}}, {{"", 1}}, {{"a-b", 1}}, {{"thirteenchars", 1}}, {{"a", -1}}, {{"a", 200}}, make([]SiteSpec, 201)} {
		if _, _, err := newPlan(bad, "", "/lab"); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
