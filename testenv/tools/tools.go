package tools

import (
	"crypto/rand"
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
	FFmpeg  = Tool{"ffmpeg", "ffmpeg"}
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

// NeedNamespaces skips the test where network namespaces and TUN devices cannot be
// made, in CI too: unlike a tool, they are nothing that the test command could install.
// It says what is missing; scripts/test says so as well.
func NeedNamespaces(t testing.TB) {
	t.Helper()
	// Tests that run side by side look at once; and a lab that starts sweeps away what has
	// the name of a lab.
	name := "probe-" + rand.Text()
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("network namespaces cannot be made here (root and CAP_SYS_ADMIN are needed): %v: %s", err, out)
	}
	if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
		t.Fatalf("removing a network namespace: %v: %s", err, out)
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		t.Skipf("TUN devices cannot be made here (modprobe tun; in a container: --device /dev/net/tun --cap-add NET_ADMIN): %v", err)
	} else {
		_ = f.Close()
	}
}
