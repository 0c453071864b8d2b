package uring

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func testRing(t *testing.T, entries int) *Ring {
	t.Helper()
	if err := Probe(); err != nil {
		t.Skip("no io_uring here: ", err)
	}
	r, err := New(entries)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// numbered queues datagrams that hold their numbers, until the ring is full.
func (ws *wires) numbered(r *Ring, first, most int) (packets [][]byte) {
	for i := range most {
		p := binary.BigEndian.AppendUint32(nil, uint32(first+i))
		if !r.Send(uint32(first+i), int(ws.fds[i%len(ws.fds)]), p, ws.to, unix.SizeofSockaddrInet4) {
			break
		}
		packets = append(packets, p)
	}
	return packets
}

// took is the numbers that have come.
func (ws *wires) took() (list []uint32) {
	var into [16]byte
	for {
		if n, _, err := unix.Recvfrom(ws.sink, into[:], unix.MSG_DONTWAIT); err != nil || n != 4 {
			return list
		}
		list = append(list, binary.BigEndian.Uint32(into[:]))
	}
}

func TestSendsInOrderFromManySockets(t *testing.T) {
	r, ws := testRing(t, 8), newWires(t, 3)
	var want []uint32
	for round := range 50 { // around the ring, several times
		count := 1 + round%8
		packets := ws.numbered(r, 100*round, count)
		n, failures, err := r.Submit()
		if n != count || len(failures) > 0 || err != nil || len(packets) != count {
			t.Fatalf("round %d: %d of %d queued, %d taken, failures %v, %v", round, len(packets), count, n, failures, err)
		}
		for i := range count {
			want = append(want, uint32(100*round+i))
		}
	}
	if got := ws.took(); !slices.Equal(got, want) {
		t.Errorf("got %d datagrams, %v, want %d in the order sent", len(got), got, len(want))
	}
}

func TestFullRingTakesNoMore(t *testing.T) {
	r, ws := testRing(t, 4), newWires(t, 1)
	if packets := ws.numbered(r, 0, 10); len(packets) != 4 {
		t.Errorf("a ring of 4 took %d", len(packets))
	}
	if n, _, err := r.Submit(); n != 4 || err != nil {
		t.Errorf("%d were sent, %v", n, err)
	}
	if got := ws.took(); !slices.Equal(got, []uint32{0, 1, 2, 3}) {
		t.Errorf("%v came", got)
	}
	if n, failures, err := r.Submit(); n != 0 || failures != nil || err != nil {
		t.Errorf("nothing was queued, and Submit is %d, %v, %v", n, failures, err)
	}
}

// A socket that cannot send stops none behind it, and it alone is told of.
func TestFailuresAreToldAndStopNothing(t *testing.T) {
	r, ws := testRing(t, 4), newWires(t, 1)
	fd := int(ws.fds[0])
	data, nowhere := []byte{0, 0, 0, 9}, &unix.RawSockaddrInet6{Family: unix.AF_INET6}
	r.Send(1, -1, data, ws.to, unix.SizeofSockaddrInet4)
	r.Send(2, fd, data, ws.to, unix.SizeofSockaddrInet4)
	r.Send(3, fd, data, nowhere, unix.SizeofSockaddrInet6)
	r.Send(4, fd, data, ws.to, unix.SizeofSockaddrInet4)
	n, failures, err := r.Submit()
	if n != 4 || err != nil {
		t.Errorf("%d were taken, %v", n, err)
	}
	if len(failures) != 2 || failures[0] != (Failure{1, unix.EBADF}) || failures[1].ID != 3 || failures[1].Err == 0 {
		t.Errorf("failures: %v", failures)
	}
	if got := ws.took(); !slices.Equal(got, []uint32{9, 9}) {
		t.Errorf("%v came", got)
	}
}

// When the kernel refuses the whole call, nothing of it is sent later.
func TestRefusedCallLeavesNothingQueued(t *testing.T) {
	r, ws := testRing(t, 4), newWires(t, 1)
	ws.numbered(r, 10, 3)
	fd := r.fd
	r.fd = -1
	if n, _, err := r.Submit(); n != 0 || err == nil {
		t.Errorf("%d were taken, %v", n, err)
	}
	r.fd = fd
	ws.numbered(r, 20, 2)
	if n, _, err := r.Submit(); n != 2 || err != nil {
		t.Errorf("%d were taken, %v", n, err)
	}
	if got := ws.took(); !slices.Equal(got, []uint32{20, 21}) {
		t.Errorf("%v came", got)
	}
}

func TestSubmitDoesNotAllocate(t *testing.T) {
	r, ws := testRing(t, 4), newWires(t, 1)
	n := testing.AllocsPerRun(100, func() {
		r.Send(1, int(ws.fds[0]), ws.packet, ws.to, unix.SizeofSockaddrInet4)
		if _, failures, err := r.Submit(); err != nil || len(failures) > 0 {
			t.Fatal(failures, err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
