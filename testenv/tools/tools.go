package tools

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Tool is a program that tests run, with the Debian package that has it.
type Tool struct {
	Program string
	Package string
}

// The programs that the packages of testenv run.
var (
	SIPp    = Tool{"sipp", "sip-tester"}
	Baresip = Tool{"baresip", "baresip-core"}
	Flite   = Tool{"flite", "flite"}
	Sox     = Tool{"sox", "sox"}
)

// Need skips the test if a tool is missing, or fails it in CI. Either way the
// message is the command that installs what is missing.
func Need(t testing.TB, wanted ...Tool) {
	t.Helper()
	var packages []string
	for _, tool := range wanted {
		if _, err := exec.LookPath(tool.Program); err != nil {
			packages = append(packages, tool.Package)
		}
	}
	if len(packages) == 0 {
		return
	}
	slices.Sort(packages)
	const format = "programs are missing: apt-get install -y --no-install-recommends %s"
	if os.Getenv("CI") != "" {
		t.Fatalf(format, strings.Join(slices.Compact(packages), " "))
	}
	t.Skipf(format, strings.Join(slices.Compact(packages), " "))
}

// NeedRoot skips the test, or fails it in CI, unless it runs as root. why says
// what for.
func NeedRoot(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	const format = "root is needed (%s): run the test with sudo"
	if os.Getenv("CI") != "" {
		t.Fatalf(format, why)
	}
	t.Skipf(format, why)
}
