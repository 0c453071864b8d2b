package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// program is the package of the real program, from the root of the module.
const program = "./cmd/node"

// builds are the programs that this test process has built: one for each package, with
// and without the race detector.
// Building is the process's, as a cache is, so this is a variable of the package.
var builds sync.Map // of variant to func() (string, error)

type variant struct {
	pkg  string
	race bool
}

// build returns the path of the program of a package, built at the first call.
func build(pkg string, race bool) (string, error) {
	v := variant{pkg, race}
	once, _ := builds.LoadOrStore(v, sync.OnceValues(func() (string, error) { return v.compile() }))
	return once.(func() (string, error))()
}

// RaceSeveral says that nodes of which several run on this machine have the race detector,
// as single ones have under go test -race. It makes each several times as busy, and leaves
// the telephones beside them no time: CONCLAVE_RACE_NODES=1 has it all the same.
func RaceSeveral() bool { return Race && os.Getenv("CONCLAVE_RACE_NODES") != "" }

// compile puts the program where the next test process puts it too, so that they
// do not pile up. Each writes to a name of its own and renames it, since another
// process may be running the one that is there.
func (v variant) compile() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	name := "conclave-" + filepath.Base(v.pkg)
	args := []string{"build"}
	if v.race {
		name += "-race"
		args = append(args, "-race")
	}
	dir := filepath.Join(os.TempDir(), "conclave-test-programs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	fresh := filepath.Join(dir, fmt.Sprintf("%s.%d", name, os.Getpid()))
	command := exec.Command("go", append(args, "-o", fresh, v.pkg)...)
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", v.pkg, err, output)
	}
	path := filepath.Join(dir, name)
	if err := os.Rename(fresh, path); err != nil {
		return "", err
	}
	return path, nil
}

// moduleRoot is the directory of the go.mod that holds the test.
func moduleRoot() (string, error) {
	output, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for go.mod: %w", err)
	}
	file := strings.TrimSpace(string(output))
	if filepath.Base(file) != "go.mod" {
		return "", fmt.Errorf("the test is not inside a module (go env GOMOD: %q)", file)
	}
	return filepath.Dir(file), nil
}
