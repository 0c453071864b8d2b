package conclave

import (
	"go/build"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/conclave-voice/conclave/"

// arrows says which other folders at the root each folder may import. What is not
// listed is forbidden; a folder may always import itself.
var arrows = map[string][]string{
	"cmd":        {"api", "callflow", "conference", "billing", "sites", "cluster", "media", "store"},
	"api":        {"callflow", "conference", "billing", "sites", "cluster", "media", "store"},
	"callflow":   {"conference", "billing", "sites", "cluster", "media", "store"},
	"conference": {"cluster", "media", "store"},
	"billing":    {"cluster", "media", "store"},
	"sites":      {"cluster", "media", "store"},
	"cluster":    {},
	"media":      {},
	"store":      {},
	// These drive the program from outside: processes, SIP, SQL, the network.
	"testenv": {},
	"chaos":   {"testenv"},
}

// exceptions are single packages that may import more; ARCHITECTURE.md says why.
var exceptions = map[string][]string{
	"cmd/node/labcommands": {"testenv"},
}

// testingImporters are modules that the program cannot do without and whose packages
// import "testing" for helpers of theirs; nothing of ours may.
var testingImporters = []string{"github.com/hashicorp/raft"}

// core are the packages that decide: no I/O, no clock, no goroutine of their own.
var core = []string{
	"conference/roster", "callflow/dialogue", "billing/rating", "media/offeranswer", "media/quality", "cluster/registry", "sites/reach",
	"media/voice", "media/noise", "media/resample",
}

// impure are imports that a core package has no use for.
var impure = []string{"net", "os", "database/sql", "sync", "context", "github.com/hashicorp/go-hclog"}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, dir := range packageDirs(t) {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			continue // no Go files for this platform
		}
		from, _, _ := strings.Cut(dir, "/")
		if dir == "." {
			continue
		}
		allowed, known := arrows[from]
		if !known {
			t.Errorf("folder %s is not in the architecture; see ARCHITECTURE.md", from)
			continue
		}
		for _, path := range pkg.Imports {
			inside, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			to, _, _ := strings.Cut(inside, "/")
			if to != from && !slices.Contains(allowed, to) && !slices.Contains(exceptions[dir], to) {
				t.Errorf("%s imports %s: %s may import only %v", dir, inside, from, allowed)
			}
		}
	}
}

func TestDecisionsArePure(t *testing.T) {
	for _, dir := range core {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		for _, path := range pkg.Imports {
			if slices.Contains(impure, path) {
				t.Errorf("%s imports %s: what decides gets events and the time, and does nothing itself", dir, path)
			}
		}
	}
}

// The program has no test helpers in it: they drag in "testing", and are written to end a
// test where a program must go on.
func TestProgramIsFreeOfTests(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./cmd/node").Output()
	if err != nil {
		t.Fatalf("list what the program imports: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.Contains(strings.Fields(imports), "testing") && !slices.Contains(testingImporters, pkg) {
			t.Errorf("%s is in the program and imports testing: put what takes a *testing.T into a package of its own", pkg)
		}
	}
}

func TestEveryPackageSaysItsPurpose(t *testing.T) {
	for _, dir := range packageDirs(t) {
		pkg, err := build.ImportDir(dir, build.ImportComment)
		if err != nil || len(pkg.GoFiles) == 0 {
			continue
		}
		if !slices.Contains(pkg.GoFiles, "doc.go") && pkg.Name != "main" {
			t.Errorf("%s has no doc.go", dir)
		}
	}
}

// packageDirs are all folders with Go files.
func packageDirs(t *testing.T) []string {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			seen[filepath.Dir(path)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for dir := range seen {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return dirs
}
