package load

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tool reaches the real node, everybody is in, and hears the others of the room and
// not itself. How late the audio is, is not judged here.
func TestCallersHearTheirRoom(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	local := netip.MustParseAddr("127.0.0.1")
	port := uint16(loopback.Ports(t, 4))
	rtp := loopback.Ports(t, 100)
	target, err := StartTarget(ctx, node.Program(t), -1, netip.AddrPortFrom(local, port), netip.AddrPortFrom(local, port+2), fmt.Sprintf("%d-%d", rtp, rtp+99))
	if err != nil {
		t.Fatal(err)
	}
	defer target.Stop()
	codes, err := target.AddRooms(ctx, 5)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(ctx, Options{SIP: target.SIP, Local: local, Number: "18665552637", Codes: codes, Callers: 18, RoomSize: 4, Rate: 20,
		Settle: 4 * time.Second, Hold: 3 * time.Second,
		Joined: func(ctx context.Context) (int, error) { f, err := target.Figures(ctx); return f.Participants, err }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Answered != 18 || r.Failed != 0 || r.Checked != 18 || r.Wrong != 0 || r.Received == 0 {
		t.Errorf("%d answered, %d failed, %d of %d hear what they should not or not what they should: %q", r.Answered, r.Failed, r.Wrong, r.Checked, r.Problems)
	}
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
	s := newStream(0, 0, nil, "1#")
	s.begin()
	packet := func(number byte) []byte { return []byte{0x80, 0, 0xff, number, 0, 0, 0, 0, 0, 0, 0, 0, 1} }
	s.take(packet(0), 1003*time.Millisecond, true)
	s.take(packet(1), 1020*time.Millisecond, true)
	s.take(packet(3), 1085*time.Millisecond, true) // 2 is lost
	s.take(packet(4), 2000*time.Millisecond, false)
	var d Distribution
	s.late(&d)
	if s.expected() != 4 || s.received != 3 || d.Max() != 25*time.Millisecond {
		t.Errorf("%d expected, %d received, at most %v late", s.expected(), s.received, d.Max())
	}
}
