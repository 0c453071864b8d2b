package codectest

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// FFmpeg feeds input to ffmpeg and returns its output. Arguments are the ones
// between the program's name and the final output "-".
func FFmpeg(t testing.TB, input []byte, args ...string) []byte {
	t.Helper()
	Need(t, "ffmpeg", "install ffmpeg")
	return run(t, input, "ffmpeg", append(append([]string{"-v", "error"}, args...), "-")...)
}

// Sox feeds input to sox and returns its output. Arguments are the format of the
// input and then that of the output, each with all that its header would say.
func Sox(t testing.TB, input []byte, from, to []string) []byte {
	t.Helper()
	Need(t, "sox", "install sox and libsox-fmt-base")
	return run(t, input, "sox", slices.Concat([]string{"-D"}, from, []string{"-"}, to, []string{"-"})...)
}

// Need skips the test if a program is missing, on a developer's machine; where
// the variable CI is set it fails instead, so that a check is never lost unseen.
func Need(t testing.TB, program, fix string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	missing(t, program+" is not installed: "+fix)
}

// NeedLibrary skips the test by the rule of Need, because of the error with which a library
// could not be opened.
func NeedLibrary(t testing.TB, err error) {
	t.Helper()
	missing(t, err.Error())
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

//go:embed spandsp.c.txt
var spandspSource []byte

// Spandsp is a compiled program that runs spandsp's codecs.
type Spandsp struct{ path string }

// NewSpandsp compiles it, or skips the test by the rule of Need.
func NewSpandsp(t testing.TB) Spandsp {
	t.Helper()
	Need(t, "gcc", "install gcc and libspandsp-dev")
	dir := t.TempDir()
	source, program := filepath.Join(dir, "spandsp.c"), filepath.Join(dir, "spandsp")
	if err := os.WriteFile(source, spandspSource, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-O1", "-o", program, source, "-lspandsp").CombinedOutput(); err != nil {
		missing(t, "spandsp cannot be compiled against, install libspandsp-dev: "+string(out))
	}
	return Spandsp{path: program}
}

// Run feeds input to a mode of the program (see spandsp.c.txt) and returns what
// comes out.
func (s Spandsp) Run(t testing.TB, mode string, input []byte) []byte {
	t.Helper()
	return run(t, input, s.path, mode)
}

func run(t testing.TB, input []byte, program string, args ...string) []byte {
	t.Helper()
	var out, problems bytes.Buffer
	c := exec.Command(program, args...)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &out, &problems
	if err := c.Run(); err != nil {
		t.Fatalf("run %s %v: %v: %s", program, args, err, problems.String())
	}
	return out.Bytes()
}

// Bytes is PCM as 16-bit little-endian.
func Bytes(pcm []int16) []byte {
	b := make([]byte, 2*len(pcm))
	for i, s := range pcm {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
	}
	return b
}

// PCM reads what Bytes writes.
func PCM(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// Speech renders a text at a rate of 8000 or 16000 Hz with a program: "flite" or
// "espeak-ng". It needs sox too.
func Speech(t testing.TB, program, text, rate string) []int16 {
	t.Helper()
	Need(t, program, "install "+program)
	Need(t, "sox", "install sox")
	wav := filepath.Join(t.TempDir(), "speech.wav")
	args := []string{"-t", text, "-o", wav}
	if program == "espeak-ng" {
		args = []string{"-w", wav, text}
	}
	run(t, nil, program, args...)
	return PCM(run(t, nil, "sox", "-D", wav, "-t", "raw", "-r", rate, "-c", "1", "-e", "signed", "-b", "16", "-"))
}
