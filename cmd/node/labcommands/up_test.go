package labcommands

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// Wrong use is told what would be right, before anything is looked for.
func TestWrongUse(t *testing.T) {
	for line, why := range map[string]string{
		"cut":               "name two sites",
		"cut a b c":         "name two sites",
		"heal a b c":        "one, or none",
		"link a":            "name two sites",
		"kill":              "name nodes or sites",
		"exec":              "name a site",
		"tickle":            `unknown command "tickle"`,
		"link a b --loss 5": "write a percentage",
		"up --delay -1s":    "cannot be negative",
		"up --sites 0":      "1 to 9 sites",
	} {
		cmd := Command()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.PersistentPreRunE = nil // whoever tests need not be root
		cmd.SetArgs(append(strings.Fields(line), "--dir", t.TempDir()))
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("node lab %s: %v, want %q", line, err, why)
		}
	}
}
