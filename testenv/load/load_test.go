package load

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/load/codecs"
	"github.com/conclave-voice/conclave/testenv/load/judge"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run puts callers on a real node with room for them.
func run(t *testing.T, o Options) (Report, *Target) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	tools.Need(t, tools.FFmpeg)
	o.Local = netip.MustParseAddr("127.0.0.1")
	port, rtp := uint16(loopback.Ports(t, 4)), loopback.Ports(t, 100)
	target, err := StartTarget(ctx, TargetOptions{Program: node.Program(t), CPU: -1, SIP: netip.AddrPortFrom(o.Local, port), HTTP: netip.AddrPortFrom(o.Local, port+2),
		RTP: fmt.Sprintf("%d-%d", rtp, rtp+99)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Stop)
	if err := target.NeedCodecs(ctx, o.Codecs); err != nil {
		t.Fatal(err)
	}
	rooms, err := target.AddRooms(ctx, (o.Callers+o.RoomSize-1)/o.RoomSize)
	if err != nil {
		t.Fatal(err)
	}
	o.SIP, o.Number, o.Codes, o.Rate, o.Listen, o.Dir = target.SIP, "18665552637", Codes(rooms), 20, o.Callers, t.TempDir()
	o.Settle, o.Hold, o.Limits = 6*time.Second, 3*time.Second, judge.DefaultLimits()
	o.Joined = func(ctx context.Context) (int, error) { f, err := target.Figures(ctx); return f.Participants, err }
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls.Answered != o.Callers || r.Calls.Failed != 0 || r.Calls.Up != 0 || r.Window.Received == 0 {
		t.Errorf("%+v, %d packets received", r.Calls, r.Window.Received)
	}
	return r, target
}

// allHear wants every caller listened to, and to hear what it should: who is in its room,
// nobody else, and not itself. A machine that is busy leaves gaps, which are not judged;
// where the tool itself was late, much of what it sent came too late to be heard.
func allHear(t *testing.T, r Report, callers int) {
	t.Helper()
	v, absent := r.Heard, 0.1
	if r.Window.Blame() != nil {
		absent = 0.5
	}
	if v.Listeners != callers || v.Absent > absent || v.Foreign > 0 || v.Clipped > 0.001 || v.Spread > 6 {
		t.Errorf("%+v", v)
		for _, f := range v.Faulty {
			t.Log(f)
		}
	}
}

// CD3: the tool reaches the real node, everybody is in, and hears the others of the
// room and not itself. How late the audio is, is not judged here.
func TestCallersHearTheirRoom(t *testing.T) {
	r, _ := run(t, Options{Callers: 18, RoomSize: 4})
	allHear(t, r, 18)
}

// CD3: in one room with callers in all codecs, as many speakers are heard as may be at
// once, whatever the others send.
func TestOneRoomOfAllCodecs(t *testing.T) {
	o := Options{Callers: 20, RoomSize: 20, Speakers: 5, Chosen: Chosen, Others: Noise}
	for _, name := range []string{"PCMU", "PCMA", "G722", "opus", "GSM"} {
		c, err := codecs.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Codecs = append(o.Codecs, c)
	}
	r, _ := run(t, o)
	allHear(t, r, 20)
}

func TestDistribution(t *testing.T) {
	var d Distribution
	for i := range 1000 {
		d.add(time.Duration(i) * 100 * time.Microsecond)
	}
	d.add(time.Second)
	for q, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.99: 99 * time.Millisecond} {
		if got := d.Quantile(q); got < want-200*time.Microsecond || got > want+200*time.Microsecond {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if d.Max() != time.Second {
		t.Errorf("max %v", d.Max())
	}
}

func TestStreamCountsLossAndLateness(t *testing.T) {
	ready := time.Unix(1, 0)
	pcmu, _ := codecs.Find("PCMU")
	s := newStream(&seat{codec: pcmu}, nil, "1#", ready)
	packet := func(number byte) []byte { return []byte{0x80, 0, 0xff, number, 0, 0, 0, 0, 0, 0, 0, 0, 1} }
	s.take(packet(9), 900*time.Millisecond) // before it is ready
	s.take(packet(10), 1003*time.Millisecond)
	s.take(packet(11), 1020*time.Millisecond)
	s.take(packet(13), 1085*time.Millisecond) // 12 is lost
	var w Window
	s.cut(&w, ready.Add(100*time.Millisecond))
	if w.Expected != 4 || w.Received != 3 || w.Lost != 1 || w.Late.Max() != 25*time.Millisecond || w.Bad() != 0.5 {
		t.Errorf("%d expected, %d received, %d lost, at most %v late, %v bad", w.Expected, w.Received, w.Lost, w.Late.Max(), w.Bad())
	}
	s.take(packet(14), 1120*time.Millisecond)
	var next Window
	s.cut(&next, ready.Add(140*time.Millisecond))
	if next.Expected != 1 || next.Received != 1 || next.Lost != 0 || next.Late.Max() != 0 {
		t.Errorf("the next window: %d expected, %d received, at most %v late", next.Expected, next.Received, next.Late.Max())
	}
	var silent Window
	s.cut(&silent, ready.Add(2140*time.Millisecond))
	if silent.Expected != 85 || silent.Lost != 85 {
		t.Errorf("a node that sends nothing for 2 s: %d expected, %d lost", silent.Expected, silent.Lost)
	}
	s.take(packet(15), 3120*time.Millisecond)
	var late Window
	s.cut(&late, ready.Add(2160*time.Millisecond))
	if late.Expected != 0 || late.Received != 1 || late.Lost != 0 {
		t.Errorf("what was counted as lost comes after all: %d expected, %d lost", late.Expected, late.Lost)
	}
}

// Listeners are spread over the rooms and the places in them.
func TestListenersAreSpread(t *testing.T) {
	for _, test := range []struct{ callers, listen, want int }{{1000, 100, 100}, {18, 100, 18}, {7, 3, 3}, {5, 0, 0}} {
		seats := make([]*seat, test.callers)
		for n := range seats {
			seats[n] = &seat{n: n, place: n % 4}
		}
		chooseListeners(seats, Options{Listen: test.listen})
		got, places := 0, map[int]bool{}
		for _, s := range seats {
			if s.listened {
				got++
				places[s.place] = true
			}
		}
		if got != test.want || got >= 18 && len(places) != 4 {
			t.Errorf("%+v: %d listeners, at %d places", test, got, len(places))
		}
	}
}

// What never came is silence in the sound, at its place.
func TestMissingFramesAreSilence(t *testing.T) {
	tools.Need(t, tools.FFmpeg)
	c, _ := codecs.Find("PCMU")
	loop, err := c.Loop(t.Context(), tone.Steady(codecs.Rate, tone.Caller(0), -20))
	if err != nil {
		t.Fatal(err)
	}
	s := openSpool(&seat{codec: c}, t.TempDir())
	for i, f := range loop {
		if i != 20 && i != 21 {
			s.add(int64(i), f, time.Unix(int64(i), 0))
		}
	}
	s.finish()
	frames, err := s.read()
	if err != nil {
		t.Fatal(err)
	}
	sound, missing, err := decode(t.Context(), c, frames)
	if err != nil {
		t.Fatal(err)
	}
	gaps := tone.Gaps(sound.Samples, sound.Rate, -60, 20*time.Millisecond)
	if missing != 2 || sound.Duration() != time.Second || len(gaps) != 1 || gaps[0] != (tone.Gap{At: 400 * time.Millisecond, Length: 40 * time.Millisecond}) {
		t.Errorf("%d missing of %v, gaps %v", missing, sound.Duration(), gaps)
	}
	if s.begin != time.Unix(0, 0) {
		t.Errorf("begun at %v", s.begin)
	}
}

// OP3: the bare system calls take some time, of which the machine says how much.
func TestBare(t *testing.T) {
	cost, err := Bare(t.Context(), -1, 10, 5*time.Millisecond)
	if err != nil || cost <= 0 || cost > 10*time.Millisecond {
		t.Errorf("%v, %v", cost, err)
	}
}
