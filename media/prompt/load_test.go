package prompt

import (
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/conclave-voice/conclave/testenv/tools"
)

// tree is an operator's directory: content by name.
type tree = fstest.MapFS

// small stands for the built-in prompts where only the reading is tested.
var small = tree{
	"en/welcome.wav": wavFile(8000, 1, wavePCM, 10),
	"en/goodbye.wav": wavFile(8000, 1, wavePCM, 10),
	"music.wav":      wavFile(8000, 1, wavePCM, 1000),
}

func few(t *testing.T, overrides ...fs.FS) *Library {
	t.Helper()
	l, err := load(small, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wavFile makes a WAVE file of n samples of a 440 Hz sine (for law files: any
// octets), with an unknown chunk of odd length before its data.
func wavFile(rate, channels, tag, n int) *fstest.MapFile {
	bits := 16
	if tag == waveALaw || tag == waveMuLaw {
		bits = 8
	}
	var data []byte
	for i := range n * channels {
		s := int16(8000 * math.Sin(2*math.Pi*440*float64(i)/float64(rate)))
		data = binary.LittleEndian.AppendUint16(data, uint16(s))
	}
	data = data[:n*channels*bits/8]

	b := append([]byte("RIFF\xff\xff\xff\xffWAVELIST\x03\x00\x00\x00abc\x00fmt "), 16, 0, 0, 0)
	le16 := binary.LittleEndian.AppendUint16
	le32 := binary.LittleEndian.AppendUint32
	b = le16(le16(b, uint16(tag)), uint16(channels))
	b = le32(le32(b, uint32(rate)), uint32(rate*channels*bits/8))
	b = le16(le16(b, uint16(channels*bits/8)), uint16(bits))
	b = le32(append(b, "data"...), uint32(len(data)))
	return &fstest.MapFile{Data: append(b, data...)}
}

// sox makes a file with the independent implementation, or skips.
func sox(t *testing.T, name string, arguments ...string) *fstest.MapFile {
	t.Helper()
	tools.Need(t, tools.Sox)
	out := filepath.Join(t.TempDir(), name)
	args := append([]string{"-D", "-n"}, arguments...)
	args = append(args, out, "synth", "1", "sine", "440", "gain", "-12")
	if output, err := exec.Command("sox", args...).CombinedOutput(); err != nil {
		t.Fatalf("sox %v: %v\n%s", args, err, output)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: content}
}

// rms in dBFS of the middle half, and of what remains of it when a sine of the
// frequency is taken out.
func sineLevels(pcm []int16, rate int, frequency float64) (level, rest float64) {
	middle := pcm[len(pcm)/4 : len(pcm)/4+len(pcm)/2]
	var re, im, all float64
	for i, s := range middle {
		w := 2 * math.Pi * frequency * float64(i) / float64(rate)
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
		all += float64(s) * float64(s)
	}
	n := float64(len(middle))
	sine := 2 * (re*re + im*im) / n
	db := func(energy float64) float64 { return 10 * math.Log10(max(energy, 1e-3)/n/(1<<30)) }
	return db(sine), db(all - sine)
}

// Files as sox writes them (SPEC CA4: WAV, au, G.711).
func TestOperatorFilesOfEveryKind(t *testing.T) {
	for name, format := range map[string][]string{
		"pcm8.wav":   {"-r", "8000", "-c", "1", "-b", "16"},
		"pcm16.wav":  {"-r", "16000", "-c", "1", "-b", "16"},
		"alaw8.wav":  {"-r", "8000", "-c", "1", "-e", "a-law"},
		"ulaw16.wav": {"-r", "16000", "-c", "1", "-e", "mu-law"},
		"pcm16.au":   {"-r", "16000", "-c", "1", "-b", "16", "-e", "signed"},
		"ulaw8.au":   {"-r", "8000", "-c", "1", "-e", "mu-law"},
		"alaw8.au":   {"-r", "8000", "-c", "1", "-e", "a-law"},
	} {
		t.Run(name, func(t *testing.T) {
			id := ID("x-" + stem(name))
			l := few(t, tree{"en/x-" + name: sox(t, name, format...)})
			for _, rate := range []int{Narrowband, Wideband} {
				pcm := l.Clip("en", id, rate).PCM
				if len(pcm) != rate {
					t.Errorf("%d Hz: %d samples of one second", rate, len(pcm))
				}
				// A sine of peak -12 dBFS is at -15 dBFS RMS; G.711 adds noise
				// some 38 dB under it.
				level, rest := sineLevels(pcm, rate, 440)
				if math.Abs(level+15) > 0.2 || rest > -45 {
					t.Errorf("%d Hz: sine at %.1f dBFS, rest at %.1f", rate, level, rest)
				}
			}
		})
	}
}

func TestUnusableFilesSayWhatToDo(t *testing.T) {
	good := wavFile(8000, 1, wavePCM, 100)
	for _, c := range []struct {
		name    string
		file    *fstest.MapFile
		problem string
	}{
		{"en/welcome.wav", wavFile(44100, 1, wavePCM, 100), "44100 Hz"},
		{"en/welcome.wav", wavFile(8000, 2, wavePCM, 100), "2 channels"},
		{"en/welcome.wav", wavFile(8000, 1, 3, 100), "format tag 0x3"},
		{"en/welcome.wav", wavFile(8000, 1, wavePCM, 0), "no samples"},
		{"en/welcome.wav", &fstest.MapFile{Data: []byte("ID3 this is no WAV")}, "no WAV file"},
		{"en/welcome.wav", &fstest.MapFile{Data: good.Data[:40]}, "cut short"},
		{"en/welcome.wav", &fstest.MapFile{Data: good.Data[:24]}, "no sound data"},
		{"en/welcome.wav", &fstest.MapFile{Data: make([]byte, maxFileSize+1)}, "larger than"},
		{"en/welcome.au", good, "no .au file"},
		{"en/welcome.mp3", good, "cannot be read"},
		{"en/welcom.wav", good, "prompts.tsv"},
		{"en/number-007.wav", good, "prompts.tsv"},
		{"welcome.wav", good, "move it to en/welcome.wav"},
		{"music.ogg", good, "cannot be read"},
	} {
		_, err := load(small, tree{c.name: c.file})
		if err == nil || !strings.Contains(err.Error(), c.problem) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.problem)
		}
	}
	_, err := load(small, tree{"en/welcome.wav": wavFile(8000, 2, wavePCM, 9), "en/goodbye.wav": wavFile(11025, 1, wavePCM, 9)})
	if err == nil || !strings.Contains(err.Error(), "channels") || !strings.Contains(err.Error(), "11025") {
		t.Errorf("two bad files: %v, want both named", err)
	}
	_, err = load(small, tree{"en/welcome.wav": good, "en/welcome.au": &fstest.MapFile{}})
	if err == nil {
		t.Error("two files for one prompt are taken")
	}
}

// The command in the message makes the file usable.
func TestTheSoxCommandWorks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"welcome.wav", "goodbye.aiff"} {
		content := sox(t, name, "-r", "44100", "-c", "2")
		if err := os.MkdirAll(filepath.Join(dir, "en"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "en", name), content.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := load(small, os.DirFS(dir))
	if err == nil {
		t.Fatal("44.1 kHz stereo is taken")
	}
	for line := range strings.Lines(err.Error()) {
		_, command, _ := strings.Cut(line, "convert it with: ")
		run := exec.Command("sh", "-c", command)
		run.Dir = dir
		if output, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, output)
		}
	}
	few(t, os.DirFS(dir))
}

func TestOverridesReplaceInOrder(t *testing.T) {
	l := few(t,
		tree{"en/welcome.wav": wavFile(8000, 1, wavePCM, 10), "en/tone-beep.wav": wavFile(8000, 1, waveALaw, 30), "README.txt": {}},
		tree{"EN/welcome.wav": wavFile(16000, 1, wavePCM, 40), "music.wav": wavFile(8000, 1, waveMuLaw, 8000), "en/notes.txt": {}})
	for _, c := range []struct {
		clip Clip
		want int
	}{
		{l.Clip("en", Welcome, Narrowband), 20},
		{l.Clip("en", ToneBeep, Wideband), 60},
		{l.Music(Wideband), 16000},
	} {
		if len(c.clip.PCM) != c.want {
			t.Errorf("%d samples, want %d", len(c.clip.PCM), c.want)
		}
	}
}

// What lies above 4 kHz does not fold back, what lies below passes.
func TestResamplingIsClean(t *testing.T) {
	sine := func(rate int, f float64) []int16 {
		return synthesize([]note{{f, 1e9}}, rate)
	}
	for _, f := range []float64{100, 1000, 3400} {
		if level, rest := sineLevels(downsample(sine(16000, f), once), 8000, f); math.Abs(level-toneLevel) > 0.1 || rest > -80 {
			t.Errorf("%.0f Hz down: %.1f dBFS, rest %.1f", f, level, rest)
		}
		if level, rest := sineLevels(upsample(sine(8000, f), once), 16000, f); math.Abs(level-toneLevel) > 0.1 || rest > -80 {
			t.Errorf("%.0f Hz up: %.1f dBFS, rest %.1f", f, level, rest)
		}
	}
	for _, f := range []float64{100, 1000, 3400, 6800} {
		if level, rest := sineLevels(triple(sine(16000, f), once), 48000, f); math.Abs(level-toneLevel) > 0.1 || rest > -75 {
			t.Errorf("%.0f Hz to 48 kHz: %.1f dBFS, rest %.1f", f, level, rest)
		}
	}
	for _, f := range []float64{4300, 5000, 7000} {
		if _, rest := sineLevels(downsample(sine(16000, f), once), 8000, f); rest > -75 {
			t.Errorf("%.0f Hz folds back at %.1f dBFS", f, rest)
		}
	}
}

// CD2: a clip at 48 kHz is the one at 16 kHz, sample for sample where both have one, also
// over the end of a loop, and is made once.
func TestFullband(t *testing.T) {
	lib, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	wide, full := lib.MusicRecording().PCM(Wideband), lib.MusicRecording().PCM(Fullband)
	if len(full) != 3*len(wide) {
		t.Fatalf("%d samples of %d", len(full), len(wide))
	}
	for i := range wide {
		if full[3*i] != wide[i] {
			t.Fatalf("sample %d: %d became %d", i, wide[i], full[3*i])
		}
	}
	last := len(full) - 1
	for _, i := range []int{last - 1, last} { // between the last sample and the first one
		low, high := min(wide[len(wide)-1], wide[0]), max(wide[len(wide)-1], wide[0])
		if full[i] < low-300 || full[i] > high+300 {
			t.Errorf("the loop has a step: %d after %d, before %d", full[i], wide[len(wide)-1], wide[0])
		}
	}
	if again := lib.MusicRecording().PCM(Fullband); &again[0] != &full[0] {
		t.Error("it was made twice")
	}
	if pcm := NewRecording(make([]int16, 800), Narrowband).PCM(Fullband); len(pcm) != 4800 {
		t.Errorf("%d samples", len(pcm))
	}
	if pcm := (Recording{}).PCM(Fullband); pcm != nil {
		t.Error("nothing has samples")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(wavFile(8000, 1, waveMuLaw, 10).Data))
	f.Add([]byte(".snd\x00\x00\x00\x18\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x1f\x40\x00\x00\x00\x01abc"))
	f.Fuzz(func(_ *testing.T, content []byte) {
		_, _ = decodeWAV(content)
		_, _ = decodeAU(content)
	})
}
