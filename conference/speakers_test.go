package conference

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/codec/g711"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

// hum joins one whose telephone sends a tone, 20 ms by 20 ms, until quiet is closed.
func (h *hall) hum(quiet <-chan struct{}) guest {
	h.t.Helper()
	g, err := h.admit(store.RoleSpeaker)
	if err != nil {
		h.t.Fatal(err)
	}
	media, err := session.Open(h.ports, codec.Standard())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(media.Close)
	socket, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.UDPAddrFromAddrPort(media.Addr()))
	if err != nil {
		h.t.Fatal(err)
	}
	remote := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := media.Apply(offeranswer.Media{Format: codec.PCMU().Format, PacketTime: session.FrameTime,
		Remote: remote, RemoteRTCP: netip.AddrPortFrom(remote.Addr(), 9)}, h.engine.Now()); err != nil {
		h.t.Fatal(err)
	}
	g.port = mixer.NewPort(media, nil)
	if err := g.seat.Enter(g.port, nil); err != nil {
		h.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer socket.Close()
		sendTone(socket, quiet)
	}()
	h.t.Cleanup(func() { <-done })
	return g
}

func sendTone(socket *net.UDPConn, quiet <-chan struct{}) {
	ticker := time.NewTicker(session.FrameTime)
	defer ticker.Stop()
	law, pcm := g711.MuLaw(), make([]int16, 160)
	for n := 0; ; n++ {
		select {
		case <-quiet:
			return
		case <-ticker.C:
		}
		for i := range pcm {
			pcm[i] = int16(6000 * math.Sin(2*math.Pi*500*float64(n*160+i)/8000))
		}
		payload := make([]byte, 160)
		_, _ = law.Encode(payload, pcm)
		p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(160 * n), SSRC: 5}, Payload: payload}
		b, _ := p.Marshal()
		_, _ = socket.Write(b)
	}
}

// SPEC CF13: a conference tells who begins and ends to speak, and who speaks now.
func TestSpeakers(t *testing.T) {
	h := newHall(t, nil)
	quiet := make(chan struct{})
	g := h.hum(quiet)
	h.join(store.RoleSpeaker)
	watch, err := g.seat.Conference().WatchSpeakers()
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := func() Speaker {
		t.Helper()
		s, err := watch.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	now := g.seat.Conference().Speakers()
	for len(now) == 0 { // not yet; on a busy machine, not any more
		if s := next(); s.Participant != g.id {
			t.Errorf("%+v", s)
		}
		now = g.seat.Conference().Speakers()
	}
	if len(now) != 1 || now[0].Participant != g.id || now[0].Level < -30 {
		t.Errorf("%+v speak", now)
	}
	close(quiet)
	for s := next(); s.Talking; s = next() {
		if s.Participant != g.id {
			t.Errorf("%+v", s)
		}
	}
	cancel()
	if _, err := watch.Next(ctx); !errors.Is(err, context.Canceled) || watch.Dropped() != 0 {
		t.Errorf("%v, %d dropped", err, watch.Dropped())
	}
}
