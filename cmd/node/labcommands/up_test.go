package labcommands

import (
	"fmt"
	"strings"
	"testing"
)

// MS15: a lab of any shape that makes sense, and a reason for any that does not.
func TestSites(t *testing.T) {
	for _, test := range []struct{ sites, nodes, want string }{
		{"3", "3", "[{a 3} {b 3} {c 3}]"},
		{"2", "3,1", "[{a 3} {b 1}]"},
		{"Munich,paris", "1", "[{munich 1} {paris 1}]"},
		{"9", "1", "[{a 1} {b 1} {c 1} {d 1} {e 1} {f 1} {g 1} {h 1} {i 1}]"},
	} {
		if got, err := sites(test.sites, test.nodes); err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("--sites %s --nodes %s: %v, %v", test.sites, test.nodes, got, err)
		}
	}
	for _, test := range []struct{ sites, nodes, why string }{
		{"0", "1", "1 to 9 sites"}, {"10", "1", "1 to 9 sites"}, {"-1", "1", "1 to 9 sites"}, {"3", "0", "1 to 20 nodes"}, {"3", "x", "1 to 20 nodes"},
		{"3", "21", "1 to 20 nodes"}, {"3", "1,2", "one for each of the 3"}, {"a,db", "1", "db is the place of the database"},
	} {
		if _, err := sites(test.sites, test.nodes); err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("--sites %s --nodes %s: %v, want %q", test.sites, test.nodes, err, test.why)
		}
	}
}

func TestEachSitesRoomHasACodeOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for n := range maxSites {
		seen[code(n)] = true
	}
	if len(seen) != maxSites || code(0) != "123456" || code(8) != "901234" {
		t.Errorf("%v", seen)
	}
}
