package labcommands

import (
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// MS15: a view tells of nodes, links, what sites think, conferences and callers.
func TestView(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := plan()
	v := view{dir: "/lab", has: furnished{Rooms: []room{{"a", "123456"}, {"b", "234567"}}}, Status: lab.Status{State: lab.State{ID: "k2f7", Plan: p},
		Nodes: []lab.NodeStatus{{Node: p.Sites[0].Nodes[0], State: "running", Ready: true}, {Node: p.Sites[0].Nodes[1], State: "paused"}, {Node: p.Sites[1].Nodes[0], State: "ended"}},
		Links: []wan.State{
			{Link: wan.Link{From: "a", To: "b"}, Cut: true}, {Link: wan.Link{From: "b", To: "a"}},
			{Link: wan.Link{From: "a", To: "db"}}, {Link: wan.Link{From: "db", To: "a"}},
		},
		Calls: []lab.CallStatus{
			{From: "a-420", Node: "a-1", Keys: "123456#", Since: at, Tone: 420, Hears: []int{700, 1010}},
			{From: "b-0", Node: "b-1", Keys: "1#", Since: at, Hears: []int{}, Silent: 2 * time.Second},
		}},
		Seen: []siteView{
			{Site: "a", Asked: "a-1", Verdicts: []v1.Site{{Site: "b", Verdict: "down", Mode: "auto", Since: at}},
				Conferences: []conference{{ConferenceState: v1.ConferenceState{Conference: v1.Conference{RoomName: "Room 123456", Kind: "main", Focus: v1.Place{Node: "a-1"}, StartedAt: at},
					Participants: []v1.Member{{Caller: "evil\x1b[2J", Muted: true}, {Caller: "a-420"}}}}, {Error: "no answer within 2s",
					ConferenceState: v1.ConferenceState{Conference: v1.Conference{RoomName: "Room 123456", Kind: "local", Focus: v1.Place{Node: "b-1"}, StartedAt: at}}}}},
			{Site: "b", Error: "no node is ready"},
		}}
	var b strings.Builder
	if err := v.write(&b); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(b.String(), "\n\n") // the first line has the time
	want := `
SITE  ITS ROOM  NODES                  THINKS OF OTHERS
a     123456    a-1 ready, a-2 FROZEN  b down since 12:00:00.0
b     234567    b-1 DEAD               its API: no node is ready

LINK    STATE
a → b   CUT; perfect
b → a   perfect
a ↔ db  perfect

SEEN FROM  CONFERENCE          HOSTED BY  SINCE       CALLERS
a          Room 123456, main   a-1        12:00:00.0  a-420, evil?[2J (muted)
a          Room 123456, local  b-1        12:00:00.0  not known: no answer within 2s

CALLER  TO   KEYED    SINCE       SAYS     HEARS
a-420   a-1  123456#  12:00:00.0  420 Hz   700, 1010 Hz
b-0     b-1  1#       12:00:00.0  nothing  no audio at all for 2.0s

`
	if got != want[1:] {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestCrop(t *testing.T) {
	if got := crop("12345\n→→→→→\n3\n4\n", area{3, 4}); got != "123\x1b[K\n→→→\x1b[K\n...\x1b[K\n" {
		t.Errorf("%q", got)
	}
	if got := crop("1\n2\n", size(nil)); got != "1\x1b[K\n2\x1b[K\n" {
		t.Errorf("%q", got)
	}
}
