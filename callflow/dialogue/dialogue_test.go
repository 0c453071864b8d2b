package dialogue

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write what the dialogue does into the transcripts")

var t0 = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// CA4: the conversations, as transcripts that one can read. A line "> input" is
// what happens; the lines after it are what the dialogue does.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

// replay runs the inputs of a transcript and writes it anew.
func replay(t *testing.T, transcript string) string {
	var out strings.Builder
	d, now := New(DefaultConfig()), t0
	lines := bufio.NewScanner(strings.NewReader(transcript))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			fmt.Fprintln(&out, line)
		}
		input, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		fmt.Fprintln(&out, line)
		word, arg, _ := strings.Cut(input, " ")
		var effects []Effect
		switch word {
		case "begin":
			effects = d.Begin(now)
		case "digits":
			for _, c := range []byte(arg) {
				effects = append(effects, d.Digit(now, c)...)
			}
		case "played":
			effects = d.Played(now)
		case "found":
			effects = d.Found(now, arg == "name")
		case "not-found":
			effects = d.NotFound(now)
		case "named":
			effects = d.Named()
		case "wait":
			pause, err := time.ParseDuration(arg)
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(pause)
			effects = d.Tick(now)
		default:
			t.Fatalf("what is %q?", line)
		}
		for _, e := range effects {
			fmt.Fprintln(&out, describe(e))
		}
	}
	return out.String()
}

func describe(e Effect) string {
	switch e.Kind {
	case Play:
		return fmt.Sprint("play ", e.Prompts)
	case StopSounds:
		return "stop sounds"
	case Lookup:
		return "look up " + e.Code
	case RecordName:
		return fmt.Sprint("record ", e.Prompts, " ", e.Limit)
	case StopRecord:
		return "stop recording"
	case Join:
		return "join"
	default:
		return fmt.Sprint("release ", e.Prompts, " ", e.Cause)
	}
}

// Whatever a caller does, the conversation ends within its time, after no more
// lookups than tries, and once.
func TestAlwaysEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig()
		d, now := New(c), t0
		d.Begin(now)
		ends, lookups := 0, 0
		see := func(effects []Effect) {
			for _, e := range effects {
				switch e.Kind {
				case Join, Release:
					ends++
				case Lookup:
					lookups++
					if n := len(e.Code); n < 1 || n > c.MaxLength {
						t.Fatalf("looks up %d digits", n)
					}
				}
			}
		}
		for range 300 {
			switch rapid.IntRange(0, 4).Draw(t, "input") {
			case 0:
				see(d.Digit(now, rapid.SampledFrom([]byte("0123456789*#A")).Draw(t, "digit")))
			case 1:
				see(d.Played(now))
			case 2:
				see(d.NotFound(now))
			case 3:
				now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
				see(d.Tick(now))
			case 4:
				now = now.Add(c.Overall / 20)
				see(d.Tick(now))
			}
		}
		// A lookup that is under way holds the clock; its answer comes.
		see(d.NotFound(now))
		see(d.Tick(now.Add(c.Overall)))
		if ends != 1 || !d.Over() {
			t.Fatalf("ended %d times", ends)
		}
		if lookups > c.Tries {
			t.Fatalf("%d lookups, %d tries", lookups, c.Tries)
		}
	})
}
