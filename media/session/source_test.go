package session

import (
	"net/netip"
	"testing"
	"time"
)

var (
	signalled = netip.MustParseAddrPort("192.0.2.1:4000")
	nat       = netip.MustParseAddrPort("198.51.100.7:61000")
	stranger  = netip.MustParseAddrPort("203.0.113.9:5004")
	moved     = netip.MustParseAddrPort("192.0.2.2:4000")
)

// SE3: whose packets are taken.
func TestSourceOfTheSDPIsTakenAtOnceAndAlone(t *testing.T) {
	var s source
	s.arm(signalled, 0)
	if !s.accept(signalled, 1, 10, 0) {
		t.Fatal("the peer's first packet was refused")
	}
	for i := range uint16(20) {
		if s.accept(stranger, 2, i, 0) {
			t.Fatal("a stranger was taken beside the peer")
		}
	}
	if s.target() != signalled {
		t.Error(s.target())
	}
}

func TestLatchNeedsConsecutivePacketsOfOneStream(t *testing.T) {
	var s source
	s.arm(signalled, 0)
	// One packet each from many sources, or gaps, never make a run.
	for i := range uint16(40) {
		if s.accept(nat, 1, i*2, 0) || s.accept(stranger, 2, i*3, 0) {
			t.Fatal("latched without a run")
		}
	}
	taken := 0
	for i := range uint16(10) {
		if s.accept(nat, 7, 65533+i, 0) { // across the wrap
			taken++
		}
	}
	if taken != 10-(latchPackets-1) || s.target() != nat {
		t.Errorf("took %d packets, sends to %v", taken, s.target())
	}
	if s.accept(signalled, 9, 1, 0) || s.accept(stranger, 2, 1, 0) {
		t.Error("not locked")
	}
}

// SE3, CA6: where no NAT is, a stranger is never taken; when the peer moves, the one
// before is taken until the new one shows, and no other.
func TestSignalledAlone(t *testing.T) {
	s := source{exact: true}
	s.arm(signalled, 0)
	for i := range uint16(40) {
		if s.accept(stranger, 7, i, 0) {
			t.Fatal("a stranger was learned")
		}
	}
	if !s.accept(signalled, 1, 1, 0) {
		t.Fatal("the peer was refused")
	}
	s.arm(moved, 0)
	if !s.accept(signalled, 1, 2, 0) || s.accept(stranger, 7, 41, 0) || s.target() != moved {
		t.Error("between two peers")
	}
	if !s.accept(moved, 2, 1, 0) || s.accept(signalled, 1, 3, 0) {
		t.Error("the new peer is not taken alone")
	}
}

func TestLatchWindowCloses(t *testing.T) {
	var s source
	s.arm(signalled, time.Second)
	for i := range uint16(20) {
		if s.accept(nat, 7, i, time.Second+latchWindow+1) {
			t.Fatal("latched after the window")
		}
	}
	if !s.accept(signalled, 1, 1, time.Hour) {
		t.Error("the signalled source must be taken at any time")
	}
}

func TestOnlyOfferAnswerReArms(t *testing.T) {
	var s source
	s.arm(signalled, 0)
	s.accept(signalled, 1, 1, 0)
	s.arm(signalled, time.Minute) // a refresh: same address
	for i := range uint16(20) {
		if s.accept(stranger, 2, i, time.Minute) {
			t.Fatal("a refresh opened the door to a stranger")
		}
	}
	// Re-INVITE to another address: packets of the old peer still arrive.
	s.arm(moved, time.Minute)
	if !s.accept(signalled, 1, 2, time.Minute) {
		t.Error("the old peer was cut off before the new one spoke")
	}
	if s.target() != moved {
		t.Errorf("sends to %v", s.target())
	}
	if !s.accept(moved, 3, 1, time.Minute) || s.accept(signalled, 1, 3, time.Minute) {
		t.Error("the new peer does not replace the old")
	}
}
