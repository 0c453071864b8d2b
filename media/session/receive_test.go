package session

import (
	"net"
	"testing"

	"github.com/conclave-voice/conclave/media/offeranswer"
)

// steadyCall is a session whose peer has sent one packet a tick for a while; ticks counts.
func steadyCall(t *testing.T) (s *Session, p *peer, ticks int) {
	t.Helper()
	s, _ = open(t)
	p = newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	for ; !s.steady.one(); ticks++ {
		if ticks > 2*steadyTicks+1 {
			t.Fatal("a peer that sends one packet a tick is not steady")
		}
		p.send(s, 0, make([]byte, 160))
		s.Receive(tick(ticks))
	}
	return s, p, ticks
}

func (s *Session) received() int { return int(s.Stats().Received) }

// A packet that comes early waits for its own tick; one that would always wait is taken
// before long.
func TestEarlyPacketOfSteadyPeer(t *testing.T) {
	s, p, ticks := steadyCall(t)
	before := s.received()
	p.send(s, 0, make([]byte, 160))
	p.send(s, 0, make([]byte, 160))
	s.Receive(tick(ticks))
	if n := s.received() - before; n != 1 {
		t.Fatalf("%d packets were taken, want the one that was due", n)
	}
	sent := 2
	for ; s.received()-before < sent; sent++ {
		if sent > steadyTicks+1 {
			t.Fatalf("of %d packets %d were taken: the last is always a tick late", sent, s.received()-before)
		}
		p.send(s, 0, make([]byte, 160))
		ticks++
		s.Receive(tick(ticks))
	}
	p.send(s, 0, make([]byte, 160))
	p.send(s, 0, make([]byte, 160))
	s.Receive(tick(ticks + 1))
	if n := s.received() - before; n != sent+2 {
		t.Errorf("%d of %d packets were taken of a peer that is steady no more", n, sent+2)
	}
}

// SPEC SE3: what a stranger sends, or what is no audio, does not hold up the peer's audio.
func TestStrayDoesNotDelayASteadyPeer(t *testing.T) {
	const intruders = 3
	for name, intrude := range map[string]func(*Session, *peer) (own int){
		"stray": func(s *Session, _ *peer) int {
			c, err := net.Dial("udp4", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for range intruders {
				if _, err := c.Write([]byte("scan")); err != nil {
					t.Fatal(err)
				}
			}
			return 0
		},
		"telephone events": func(s *Session, p *peer) int {
			for range intruders {
				p.send(s, 101, []byte{1, 0x80, 0, 160})
			}
			return intruders
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p, ticks := steadyCall(t)
			before := s.received()
			own := intrude(s, p)
			p.send(s, 0, make([]byte, 160))
			s.Receive(tick(ticks))
			if n := s.received() - before - own; n != 1 {
				t.Errorf("%d packets of audio were taken, want 1", n)
			}
		})
	}
}
