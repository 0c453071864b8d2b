package soak

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/judge"
)

// series is 45 minutes of a node with some 500 callers, and of what leaks for each call.
func series(perMinute func(minutes float64, f *load.Figures)) (list []sample) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 540 {
		at := time.Duration(i) * 5 * time.Second
		up := 495 + random.IntN(10)
		f := load.Figures{Participants: up, Ports: up, Descriptors: 40 + 2*up, Goroutines: 60 + 2*up,
			Memory: 150e6 + int64(random.IntN(2e6)), Heap: 40e6 + int64(random.IntN(20e6)), CPU: time.Duration(float64(at) * 0.3)}
		perMinute(at.Minutes(), &f)
		list = append(list, sample{at, f})
	}
	return list
}

// OP3: what leaks a little for each of a hundred calls a minute is found, and nothing else.
func TestPlantedLeaks(t *testing.T) {
	for _, test := range []struct {
		name string
		leak func(minutes float64, f *load.Figures)
		want string
	}{
		{"none", func(float64, *load.Figures) {}, ""},
		{"memory", func(m float64, f *load.Figures) { f.Memory += int64(m * 100 * 5e3) }, "resident memory"},
		{"heap", func(m float64, f *load.Figures) { f.Heap += int64(m * 100 * 5e3) }, "heap in use"},
		{"goroutines", func(m float64, f *load.Figures) { f.Goroutines += int(m * 2) }, "goroutines"},
		{"descriptors", func(m float64, f *load.Figures) { f.Descriptors += int(m * 2) }, "descriptors"},
		{"ports", func(m float64, f *load.Figures) { f.Ports += int(m) }, "pairs of ports"},
		{"a pool that fills", func(m float64, f *load.Figures) { f.Memory += int64(min(m, 15) * 2e6) }, ""},
	} {
		var found []string
		for _, g := range growths(series(test.leak)) {
			if g.Leaks() {
				found = append(found, g.What)
			}
		}
		if strings.Join(found, ", ") != test.want {
			t.Errorf("%s: found %q", test.name, found)
		}
	}
	for _, g := range growths(series(func(m float64, f *load.Figures) { f.Goroutines += int(m * 100) })[:60]) {
		if g.Leaks() {
			t.Errorf("after five minutes: %v", g)
		}
	}
}

func TestPerParticipant(t *testing.T) {
	if got := perParticipant(series(func(float64, *load.Figures) {})); got < 595 || got > 606 {
		t.Errorf("%.1f µs of 30 %% of a processor for 500", got)
	}
}

func TestLeftBehind(t *testing.T) {
	before := load.Figures{Goroutines: 40, Descriptors: 35}
	for _, test := range []struct {
		after load.Figures
		want  string
	}{
		{load.Figures{Goroutines: 45, Descriptors: 40}, ""},
		{load.Figures{Goroutines: 60, Descriptors: 40}, "60 goroutines"},
		{load.Figures{Goroutines: 45, Descriptors: 50}, "50 descriptors"},
		{load.Figures{Goroutines: 45, Descriptors: 40, Ports: 1}, "1 pairs of ports"},
		{load.Figures{Goroutines: 45, Descriptors: 40, Participants: 2}, "2 participants"},
		{load.Figures{Goroutines: 45, Descriptors: 40, Recordings: 1}, "1 recordings"},
	} {
		got := leftBehind(before, test.after)
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], test.want)) {
			t.Errorf("%+v: %q", test.after, got)
		}
	}
	if got := leftBehind(load.Figures{}, before); len(got) > 0 {
		t.Errorf("nothing is known of before: %q", got)
	}
}

// What is late is compared with the noise of the machine, and on a busy machine not at all.
func TestWrong(t *testing.T) {
	good := Result{Load: load.Window{Expected: 1000, Received: 1000}, Heard: judge.Verdict{Listeners: 5}}
	lossy, silent, faulty, refused := good, good, good, good
	lossy.Load.Lost = 10
	silent.Load.Received = 0
	faulty.Heard.Faulty = []judge.Fault{{Who: "caller 1", Reasons: []string{"noise"}}}
	refused.Calls = load.Calls{Begun: 10, Failed: 1, Problems: []string{"503"}}
	for _, test := range []struct {
		name string
		r    Result
		busy bool
		want string
	}{
		{"good", good, false, ""}, {"lossy", lossy, false, "1.000 % of the packets"}, {"lossy and busy", lossy, true, ""},
		{"silent", silent, true, "no audio"}, {"faulty", faulty, true, "1 of 5 listeners"}, {"refused", refused, true, "1 of 10 calls"},
	} {
		got := Config{Busy: test.busy, Load: load.Options{Listen: 5}}.wrong(test.r)
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], test.want)) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	noisy := lossy
	noisy.Floor = load.Window{Expected: 1000, Lost: 10}
	if got := (Config{}).wrong(noisy); len(got) > 0 {
		t.Errorf("the machine loses as much by itself: %q", got)
	}
}
