package session

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/uring"
)

func newTraffic(t testing.TB) *Traffic {
	t.Helper()
	if err := uring.Probe(); err != nil {
		t.Skip("no io_uring here: ", err)
	}
	by, err := NewBatchedTraffic()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := by.Close(); err != nil {
			t.Error(err)
		}
	})
	return by
}

// talker is a session in a call, and its peer.
type talker struct {
	*Session
	peer *peer
}

func talkers(t *testing.T, n int) (list []talker) {
	t.Helper()
	ports, err := NewPorts(loopback, 32000, 32999)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		s, err := Open(ports, codec.Standard())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		p := newPeer(t)
		apply(t, s, p.media(offeranswer.SendRecv), 0)
		list = append(list, talker{s, p})
	}
	return list
}

// frameOf is audio that tells the talker and the tick.
func frameOf(talker, tick int) []int16 {
	pcm := make([]int16, 160)
	for i := range pcm {
		pcm[i] = int16(1000*talker%7000 + 90*tick + i)
	}
	return pcm
}

// Whichever way datagrams leave, each peer gets all of its own, in order, with the audio
// that was sent.
func TestTrafficDeliversAsSendDoes(t *testing.T) {
	for _, c := range []struct {
		name string
		out  func(testing.TB) *Traffic
	}{
		{"one by one", func(testing.TB) *Traffic { return NewTraffic() }},
		{"in batches", newTraffic},
	} {
		t.Run(c.name, func(t *testing.T) {
			const ticks = 5
			by, list := c.out(t), talkers(t, together+together/2) // it fills within a tick
			for i := range ticks {
				for k, s := range list {
					by.Send(s.Session, frameOf(k, i))
				}
				by.Flush()
			}
			law, _ := codec.Standard().Static(0)
			encoder, _ := law.NewEncoder(law.Format)
			want := make([]byte, 160)
			for k, s := range list {
				got := s.peer.receive(s.peer.rtp)
				if len(got) != ticks {
					t.Fatalf("peer %d got %d packets, want %d", k, len(got), ticks)
				}
				var first rtp.Packet
				for i, b := range got {
					var p rtp.Packet
					if err := p.Unmarshal(b); err != nil {
						t.Fatal(err)
					}
					if i == 0 {
						first = p
					}
					if n, err := encoder.Encode(want, frameOf(k, i)); err != nil || !bytes.Equal(p.Payload, want[:n]) {
						t.Errorf("peer %d: packet %d has other audio than was sent", k, i)
					}
					if p.SSRC != first.SSRC || p.SequenceNumber != first.SequenceNumber+uint16(i) || p.Timestamp != first.Timestamp+uint32(160*i) {
						t.Errorf("peer %d: packet %d has %v, the first %v", k, i, p.Header, first.Header)
					}
				}
				if st := s.Stats(); st.Sent != ticks || st.SendErrors != 0 {
					t.Errorf("session %d: %d sent, %d errors", k, st.Sent, st.SendErrors)
				}
			}
		})
	}
}

// A session that is closed while a datagram of it waits keeps its descriptor and its ports
// until that has left: whoever opens a socket meanwhile sends nothing of it.
func TestTrafficKeepsSocketsOpenUntilFlush(t *testing.T) {
	by, list := newTraffic(t), talkers(t, 2)
	s, other := list[0], list[1]
	fd := s.rtp.fd
	by.Send(s.Session, frameOf(0, 0))
	by.Send(other.Session, frameOf(1, 0))
	s.Close()
	if _, err := unix.Getsockname(fd); err != nil {
		t.Fatal("the socket was closed with a datagram waiting: ", err)
	}
	if n := s.ports.InUse(); n != 2 {
		t.Errorf("%d pairs of ports in use before the flush, want 2", n)
	}
	fresh, err := Open(s.ports, codec.Standard())
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if fresh.rtp.fd == fd || fresh.rtcp.fd == fd {
		t.Fatal("the descriptor was given to another session")
	}
	by.Flush()
	if n := s.ports.InUse(); n != 2 { // other's, and fresh's
		t.Errorf("%d pairs of ports in use after the flush, want 2", n)
	}
	if _, err := unix.Getsockname(fd); err != unix.EBADF {
		t.Errorf("the socket is open after the flush: %v", err)
	}
	for k, talker := range list {
		got := talker.peer.receive(talker.peer.rtp)
		var p rtp.Packet
		if len(got) != 1 || p.Unmarshal(got[0]) != nil || p.SSRC != talker.encode.header.SSRC {
			t.Errorf("peer %d got %d packets, want one of its session", k, len(got))
		}
	}
	if by.Send(s.Session, frameOf(0, 1)); len(by.waiting) != 0 {
		t.Error("a closed session put something in")
	}
}

// reluctant is a ring that sends one datagram of a batch, and refuses the rest.
type reluctant struct{ first func() error }

func (r *reluctant) Send(_ uint32, fd int, data []byte, to *unix.RawSockaddrInet6, toLength uint32) bool {
	if r.first == nil {
		r.first = func() error { return sendTo(fd, data, to, toLength) }
	}
	return true
}

func (r *reluctant) Submit() (int, []uring.Failure, error) { return 1, nil, r.first() }

func (r *reluctant) Close() error { return nil }

// What could not be sent is counted as when it is sent at once, and stops nothing else.
func TestTrafficCountsWhatWasNotSent(t *testing.T) {
	for _, c := range []struct {
		name string
		out  func(testing.TB) *Traffic
	}{
		{"by the ring", newTraffic},
		{"when the ring takes only the first", func(testing.TB) *Traffic { return &Traffic{ring: &reluctant{}, waiting: make([]outgoing, 0, together)} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			by, list := c.out(t), talkers(t, 3)
			for k, s := range list {
				by.Send(s.Session, frameOf(k, 0))
			}
			by.waiting[1].to.Family = unix.AF_INET6 // of an IPv4 socket
			by.Flush()
			for k, s := range list {
				sent, failed := uint64(1), uint64(0)
				if k == 1 {
					sent, failed = 0, 1
				}
				if n := len(s.peer.receive(s.peer.rtp)); n != int(sent) {
					t.Errorf("peer %d got %d packets, want %d", k, n, sent)
				}
				st := s.Stats()
				if st.Sent != sent || st.SendErrors != failed || s.reports.packets != uint32(sent) || s.reports.octets != uint32(160*sent) {
					t.Errorf("session %d: %d sent, %d errors, reports of %d packets, %d octets; want %d and %d",
						k, st.Sent, st.SendErrors, s.reports.packets, s.reports.octets, sent, failed)
				}
			}
		})
	}
}

// Sessions are closed by their calls while a worker sends by a traffic.
func TestTrafficWhileSessionsAreClosed(t *testing.T) {
	by := newTraffic(t)
	for round := range 20 {
		list := talkers(t, 8)
		var closing sync.WaitGroup
		for _, s := range list {
			closing.Go(s.Close)
		}
		for i := range 10 {
			for k, s := range list {
				by.Send(s.Session, frameOf(k, i))
			}
			if i%3 == 2 {
				by.Flush()
			}
		}
		closing.Wait()
		by.Flush()
		if n := list[0].ports.InUse(); n != 0 {
			t.Fatalf("round %d: %d pairs of ports are in use after all were closed", round, n)
		}
	}
}

func TestTrafficDoesNotAllocate(t *testing.T) {
	by, list := newTraffic(t), talkers(t, 4)
	frame := frameOf(0, 0)
	n := testing.AllocsPerRun(50, func() {
		for _, s := range list {
			by.Send(s.Session, frame)
		}
		by.Flush()
	})
	if n > 0 {
		t.Errorf("%v allocations in a tick", n)
	}
}

// A packet time of 5 ms puts several datagrams of one session into a traffic.
func TestTrafficTakesSeveralOfOneSession(t *testing.T) {
	by, s := newTraffic(t), talkers(t, 1)[0]
	m := s.peer.media(offeranswer.SendRecv)
	m.PacketTime = FrameTime / 4
	apply(t, s.Session, m, 0)
	by.Send(s.Session, frameOf(0, 0))
	by.Flush()
	var lengths []string
	for _, b := range s.peer.receive(s.peer.rtp) {
		lengths = append(lengths, fmt.Sprint(len(b)))
	}
	if !slices.Equal(lengths, []string{"52", "52", "52", "52"}) {
		t.Errorf("packets of %v octets came, want four of 52", lengths)
	}
}
