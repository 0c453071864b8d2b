package load

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/node"
)

// What a caller may use of the node's memory by Go's own accounting, without garbage, soon
// after it has come in: there are still the transactions of its INVITE. Half of it is used.
const (
	heapLimit  = 40_000 // octets
	stackLimit = 4_000  // fewer than one goroutine
)

// CF4: a caller in a conference uses little memory, and no goroutine waits for it.
func TestCallerIsSmall(t *testing.T) {
	const few, many = 4, 60
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	local := netip.MustParseAddr("127.0.0.1")
	port := uint16(loopback.Ports(t, 4))
	rtp := loopback.Ports(t, 4*many)
	target, err := StartTarget(ctx, TargetOptions{Program: node.Program(t), CPU: -1, SIP: netip.AddrPortFrom(local, port), HTTP: netip.AddrPortFrom(local, port+2),
		RTP: fmt.Sprintf("%d-%d", rtp, rtp+4*many-1)})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Stop()
	rooms, err := target.AddRooms(ctx, many/4)
	if err != nil {
		t.Fatal(err)
	}
	with := func(callers int) (l Live) {
		r, err := Run(ctx, Options{SIP: target.SIP, Local: local, Number: "18665552637", Codes: Codes(rooms), Callers: callers, RoomSize: 4, Rate: 20,
			Joined: func(ctx context.Context) (int, error) { f, err := target.Figures(ctx); return f.Participants, err },
			Done: func() {
				if l, err = target.Live(ctx); err != nil {
					t.Error(err)
				}
			}})
		if err != nil || r.Calls.Answered != callers || r.Calls.Failed != 0 {
			t.Fatalf("%v: %d answered, %d failed: %q", err, r.Calls.Answered, r.Calls.Failed, r.Calls.Problems)
		}
		return l
	}
	before := with(few) // what is made once is there
	after := with(many)
	heap, stacks := (after.Heap-before.Heap)/(many-few), (after.Stacks-before.Stacks)/(many-few)
	t.Logf("a caller has %d octets of heap and %d of stacks", heap, stacks)
	if heap > heapLimit || stacks > stackLimit {
		t.Errorf("a caller has %d octets of heap and %d of stacks; at most %d and %d are expected", heap, stacks, heapLimit, stackLimit)
	}
}
