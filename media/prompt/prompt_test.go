package prompt

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// all returns the built-in prompts, read once for all tests.
func all(t *testing.T) *Library {
	t.Helper()
	l, err := readAll()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var readAll = sync.OnceValues(func() (*Library, error) { return Load() })

func with(t *testing.T, overrides ...fs.FS) *Library {
	t.Helper()
	l, err := Load(overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// constants returns the ids of ids.go with the sentence in the comment of each.
func constants(t *testing.T) map[ID]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[ID]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		ids[ID(value)] = strings.TrimSpace(spec.Comment.Text())
		return true
	})
	return ids
}

// texts returns the lines of prompts.tsv.
func texts(t *testing.T) map[ID]string {
	t.Helper()
	f, err := os.Open("en/prompts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := make(map[ID]string)
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		id, text, ok := strings.Cut(scanner.Text(), "\t")
		if _, twice := lines[ID(id)]; !ok || twice {
			t.Errorf("prompts.tsv: line %q has no tab, or its id is there twice", scanner.Text())
		}
		lines[ID(id)] = text
	}
	return lines
}

func isTone(id ID) bool { return strings.HasPrefix(string(id), "tone-") }

func TestConstantsTextsAndFilesAgree(t *testing.T) {
	ids, lines, l := constants(t), texts(t), all(t)
	for id, sentence := range ids {
		if !isTone(id) && lines[id] != sentence {
			t.Errorf("ids.go says of %s %q, prompts.tsv %q", id, sentence, lines[id])
		}
		for _, rate := range []int{Narrowband, Wideband} {
			c := l.Clip(DefaultLanguage, id, rate)
			if c.Rate != rate || c.Duration().Seconds() < 0.15 || c.Duration().Seconds() > 8 {
				t.Errorf("%s at %d Hz: a clip of %v", id, rate, c.Duration())
			}
		}
	}
	for id := range lines {
		if _, ok := ids[id]; !ok {
			t.Errorf("prompts.tsv has %s, ids.go has not", id)
		}
	}
	for id := range l.languages[DefaultLanguage] {
		if _, ok := ids[id]; !ok {
			t.Errorf("there is a file for %s and no constant", id)
		}
	}
}

// activeLevel returns the RMS in dBFS of those 20 ms pieces that are not silent.
func activeLevel(pcm []int16, rate int) float64 {
	sum, n := 0.0, 0
	for piece := range slices.Chunk(pcm, rate/50) {
		energy := 0.0
		for _, s := range piece {
			energy += float64(s) * float64(s)
		}
		if energy/float64(len(piece)) > 150*150 {
			sum, n = sum+energy, n+len(piece)
		}
	}
	return 10 * math.Log10(sum/float64(n)/(1<<30))
}

func peak(pcm []int16) float64 {
	top := 0
	for _, s := range pcm {
		top = max(top, int(s), -int(s))
	}
	return 20 * math.Log10(float64(top)/(1<<15))
}

func TestLevels(t *testing.T) {
	l := all(t)
	for id := range constants(t) {
		want := -18.0
		if isTone(id) {
			want = toneLevel
		}
		for _, rate := range []int{Narrowband, Wideband} {
			pcm := l.Clip("en", id, rate).PCM
			// The narrow copy lacks what lies above 4 kHz, most of it of "six".
			if got := activeLevel(pcm, rate); math.Abs(got-want) > 2.5 {
				t.Errorf("%s at %d Hz: speech level %.1f dBFS, want %.0f", id, rate, got, want)
			}
			if got := peak(pcm); got > -3 {
				t.Errorf("%s at %d Hz: peak %.1f dBFS", id, rate, got)
			}
		}
	}
}

func TestSizeOfAllFiles(t *testing.T) {
	total := int64(0)
	err := fs.WalkDir(builtIn, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if name == "music.wav" && info.Size() > 600_000 {
			t.Errorf("the music has %d bytes", info.Size())
		}
		total += info.Size()
		return err
	})
	if err != nil || total > 3_600_000 {
		t.Errorf("%d bytes of prompts and music, %v", total, err)
	}
}

func TestMusicHasNoSeam(t *testing.T) {
	l := all(t)
	for _, rate := range []int{Narrowband, Wideband} {
		music := l.Music(rate)
		if d := music.Duration().Seconds(); d < 20 || d > 30 {
			t.Errorf("%d Hz: music of %v", rate, music.Duration())
		}
		if got := activeLevel(music.PCM, rate); math.Abs(got+24) > 1 {
			t.Errorf("%d Hz: level %.1f dBFS", rate, got)
		}
		// The step over the seam is no greater than the greatest step elsewhere
		// within the second around it.
		around := append(slices.Clone(music.PCM[len(music.PCM)-rate/2:]), music.PCM[:rate/2]...)
		seam, most := 0, 0
		for i := 1; i < len(around); i++ {
			step := int(math.Abs(float64(around[i]) - float64(around[i-1])))
			if i == rate/2 {
				seam = step
			} else {
				most = max(most, step)
			}
		}
		if seam > most {
			t.Errorf("%d Hz: a step of %d over the seam, %d at most around it", rate, seam, most)
		}
	}
}

// What is said in one language and lacks in another (SPEC CA4).
func TestLanguagesFallBack(t *testing.T) {
	l := with(t, tree{"de/welcome.wav": wavFile(8000, 1, wavePCM, 100), "de-AT/goodbye.wav": wavFile(8000, 1, wavePCM, 200)})
	if got, want := l.Languages(), []string{"de", "de-at", "en"}; !slices.Equal(got, want) {
		t.Errorf("languages %v, want %v", got, want)
	}
	length := func(lang string, id ID) int { return len(l.Clip(lang, id, Narrowband).PCM) }
	for _, c := range []struct {
		lang string
		id   ID
		want int
	}{
		{"de", Welcome, 100},
		{"DE-at", Welcome, 100},
		{"de-at", Goodbye, 200},
		{"de-CH-1996", Welcome, 100},
		{"de", Goodbye, length("en", Goodbye)},
		{"en-GB", Goodbye, length("en", Goodbye)},
		{"", Goodbye, length("en", Goodbye)},
		{"xx", Goodbye, length("en", Goodbye)},
		{"en", "x-none", 0},
	} {
		if got := length(c.lang, c.id); got != c.want {
			t.Errorf("%s in %q: %d samples, want %d", c.id, c.lang, got, c.want)
		}
	}
	if c := l.Clip("en", Goodbye, 44100); len(c.PCM) != 0 {
		t.Error("a clip at 44.1 kHz")
	}
}

func TestNumbers(t *testing.T) {
	l := all(t)
	lines := texts(t)
	for n, want := range map[int]string{
		0: "zero", 7: "seven", 20: "twenty", 21: "twenty one", 90: "ninety", 99: "ninety nine",
		100: "one hundred", 101: "one hundred one", 119: "one hundred nineteen",
		1000: "one thousand", 1001: "one thousand one", 1100: "one thousand one hundred",
		12345: "twelve thousand three hundred forty five", 300000: "three hundred thousand",
		999999: "nine hundred ninety nine thousand nine hundred ninety nine",
	} {
		var words []string
		for _, id := range l.Number("en", n) {
			words = append(words, lines[id])
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%d is spoken %q, want %q", n, got, want)
		}
	}
	for _, n := range []int{-1, MaxNumber + 1} {
		if ids := l.Number("en", n); ids != nil {
			t.Errorf("%d is spoken %v", n, ids)
		}
	}
	for n := range 2000 {
		for _, id := range l.Number("en", n*499) {
			if !l.Has("en", id) {
				t.Fatalf("%d needs %s, which there is not", n*499, id)
			}
		}
	}
}

func TestALanguagesOwnNumbersArePreferred(t *testing.T) {
	l := with(t, tree{"de/number-21.wav": wavFile(8000, 1, wavePCM, 10), "de/number-100.wav": wavFile(8000, 1, wavePCM, 10)})
	if got, want := l.Number("de", 121), []ID{Number1, Hundred, "number-21"}; !slices.Equal(got, want) {
		t.Errorf("121 is spoken %v, want %v", got, want)
	}
	if got, want := l.Number("en", 21), []ID{Number20, Number1}; !slices.Equal(got, want) {
		t.Errorf("21 is spoken %v in English, want %v", got, want)
	}
}

func TestKeys(t *testing.T) {
	if got, want := all(t).Keys("*0 9#A"), []ID{Star, Number0, Number9, Pound}; !slices.Equal(got, want) {
		t.Errorf("spoken %v, want %v", got, want)
	}
}
