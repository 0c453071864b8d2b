package speech

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tools"
)

// Say returns text spoken by flite, at about -20 dBFS. It skips the test where flite or
// sox is missing.
func Say(t testing.TB, rate int, text string) tone.Sound {
	t.Helper()
	tools.Need(t, tools.Flite, tools.Sox)
	dir := t.TempDir()
	spoken, ready := filepath.Join(dir, "spoken.wav"), filepath.Join(dir, "ready.wav")
	for _, command := range [][]string{
		{"flite", "-voice", "slt", "-t", text, "-o", spoken},
		{"sox", "-D", spoken, ready, "gain", "-6", "rate", strconv.Itoa(rate)},
	} {
		if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, output)
		}
	}
	s, err := tone.ReadWAV(ready)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
