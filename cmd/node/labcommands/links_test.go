package labcommands

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// plan is of sites a and b, and the database at db.
func plan() lab.Plan {
	site := func(name string, nodes int) lab.Site {
		s := lab.Site{Name: name}
		for n := range nodes {
			s.Nodes = append(s.Nodes, lab.Node{Name: fmt.Sprintf("%s-%d", name, n+1), Site: name})
		}
		return s
	}
	return lab.Plan{Sites: []lab.Site{site("a", 2), site("b", 1), site("db", 0)}}
}

func TestFindLinks(t *testing.T) {
	for words, want := range map[string]string{
		"A B": "[a → b]", "b a": "[b → a]", "b": "[b → a b → db]", "": "[a → b a → db b → db]", "db": "[db → a db → b]",
	} {
		if got, err := findLinks(plan(), strings.Fields(words)); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", words, got, err, want)
		}
	}
	for words, why := range map[string]string{"a c": `no site "c": there are [a b db]`, "a A": "are one site"} {
		if _, err := findLinks(plan(), strings.Fields(words)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", words, err)
		}
	}
}

func TestFindNodes(t *testing.T) {
	for words, want := range map[string]string{"A-1": "[a-1]", "a": "[a-1 a-2]", "a-2 a b-1": "[a-1 a-2 b-1]"} {
		if got, err := findNodes(plan(), strings.Fields(words)); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v", words, got, err)
		}
	}
	for _, word := range []string{"c", "a-3", "db"} {
		if _, err := findNodes(plan(), []string{word}); err == nil || !strings.Contains(err.Error(), "there are a-1, a-2, b-1") {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// Flags change what they name, and leave the rest of the link.
func TestLinkFlags(t *testing.T) {
	parse := func(args ...string) (wan.Impairment, error) {
		f, cmd := newImpairmentFlags(), &cobra.Command{}
		f.flags(cmd)
		i := wan.Impairment{Delay: 20 * time.Millisecond, Loss: 0.5}
		err := cmd.ParseFlags(args)
		if f.given(cmd) != (len(args) > 0 && err == nil) {
			t.Errorf("%v: given is %v", args, f.given(cmd))
		}
		f.apply(cmd, &i)
		return i, err
	}
	got, err := parse("--loss", "5%", "--jitter", "10ms", "--reorder=0.5%", "--rate", "256kbit", "--max-packet", "1400")
	want := wan.Impairment{Delay: 20 * time.Millisecond, Loss: 0.05, Jitter: 10 * time.Millisecond, Reorder: 0.005, Rate: 256_000, MaxPacket: 1400}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if text := impairmentText(got); text != "delay 20ms, jitter 10ms, loss 5%, reorder 0.5%, rate 256kbit, packets up to 1400" {
		t.Error(text)
	}
	if got, err := parse(); err != nil || got.Loss != 0.5 {
		t.Errorf("without flags: %+v, %v", got, err)
	}
	for _, bad := range []string{"--loss=5", "--loss=101%", "--loss=-1%", "--loss=NaN%", "--loss=much", "--rate=fast", "--rate=-1", "--rate=NaN", "--rate=9e99mbit", "--delay=80"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestStateText(t *testing.T) {
	for want, s := range map[string]wan.State{
		"perfect":         {},
		"CUT; delay 20ms": {Cut: true, Impairment: wan.Impairment{Delay: 20 * time.Millisecond}},
		"CUT for sip, rtp; perfect; rtp: loss 50%": {CutOnly: []string{"sip", "rtp"}, Classes: map[string]wan.Impairment{"rtp": {Loss: 0.5}}},
	} {
		if got := stateText(s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
