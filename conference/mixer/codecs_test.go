package mixer

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
)

// party is the far end of a call with any codec: it says a tone and keeps what it hears.
type party struct {
	*testing.T
	port    *Port
	socket  *net.UDPConn
	format  codec.Format
	packet  time.Duration
	encoder codec.Encoder
	decoder codec.Decoder
	freq    float64 // Hz
	header  rtp.Header
	sent    time.Duration // of audio
	heard   []int16
}

// CD1, CD2: with every codec that works here, a caller and one with G.711 hear each other's
// tone, through sockets, jitter buffers and the mixer.
func TestEveryCodec(t *testing.T) {
	registry := codec.All(MaxRate, false)
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), 25000, 25999)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range registry.Codecs() {
		t.Run(fmt.Sprintf("%s-%d", c.Name, c.SampleRate), func(t *testing.T) {
			m, by := New(Config{}), session.NewTraffic()
			other, _ := registry.Lookup("PCMU", 8000)
			a, b := newParty(t, registry, ports, c, 700), newParty(t, registry, ports, other, 400)
			for _, p := range []*party{a, b} {
				m.Add(p.port)
				p.port.SetMode(Mode{Speaks: true, Hears: true})
			}
			for tick := range 100 {
				now := time.Duration(tick) * session.FrameTime
				a.speak(now)
				b.speak(now)
				m.Tick(now, by)
				a.listen()
				b.listen()
			}
			least := 3000.0
			if c.Name == "LPC" {
				least = 1500 // a vocoder, whose frames tell pitch and loudness, and no tone
			}
			a.hears(b.freq, least)
			b.hears(a.freq, least)
		})
	}
}

func newParty(t *testing.T, registry *codec.Registry, ports *session.Ports, c codec.Codec, freq float64) *party {
	t.Helper()
	s, err := session.Open(ports, registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	f := c.Format.Agree("")
	if f.PayloadType < 0 {
		f.PayloadType = 111
	}
	p := &party{T: t, socket: socket, format: f, packet: max(session.FrameTime, f.Frame()), freq: freq, header: rtp.Header{Version: 2, PayloadType: uint8(f.PayloadType), SSRC: 7}}
	remote := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := s.Apply(offeranswer.Media{Format: f, DTMF: 101, PacketTime: p.packet, Remote: remote, RemoteRTCP: netip.AddrPortFrom(remote.Addr(), 9)}, 0); err != nil {
		t.Fatal(err)
	}
	p.port = NewPort(s, nil)
	if p.encoder, err = c.NewEncoder(f); err != nil {
		t.Fatal(err)
	}
	if p.decoder, err = c.NewDecoder(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, end := range []any{p.encoder, p.decoder} {
			if held, ok := end.(codec.Closer); ok {
				held.Close()
			}
		}
	})
	return p
}

// speak sends what is due.
func (p *party) speak(now time.Duration) {
	p.Helper()
	samples := p.format.SampleRate * int(p.packet/time.Millisecond) / 1000
	for ; p.sent <= now; p.sent += p.packet {
		pcm := make([]int16, samples)
		for i := range pcm {
			at := float64(int(p.header.SequenceNumber)*samples+i) / float64(p.format.SampleRate)
			pcm[i] = int16(6000 * math.Sin(2*math.Pi*p.freq*at))
		}
		payload := make([]byte, 600)
		n, err := p.encoder.Encode(payload, pcm)
		if err != nil {
			p.Fatal(err)
		}
		b, err := (&rtp.Packet{Header: p.header, Payload: payload[:n]}).Marshal()
		if err != nil {
			p.Fatal(err)
		}
		if _, err := p.socket.WriteToUDPAddrPort(b, p.port.Media().Addr()); err != nil {
			p.Fatal(err)
		}
		p.header.SequenceNumber++
		p.header.Timestamp += uint32(p.format.ClockRate * int(p.packet/time.Millisecond) / 1000)
	}
}

// listen takes all packets that have come: on loopback they are there when they are sent.
func (p *party) listen() {
	p.Helper()
	buf := make([]byte, 2000)
	for {
		if err := p.socket.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			p.Fatal(err)
		}
		n, err := p.socket.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		var packet rtp.Packet
		if err := errors.Join(err, packet.Unmarshal(buf[:n])); err != nil {
			p.Fatal(err)
		}
		pcm := make([]int16, 960)
		if n, err = p.decoder.Decode(pcm, packet.Payload); err != nil {
			p.Fatal(err)
		}
		p.heard = append(p.heard, pcm[:n]...)
	}
}

// hears checks that in the last second the tone is there, from least to 6 dB above what is
// said.
func (p *party) hears(freq, least float64) {
	p.Helper()
	rate := p.format.SampleRate
	if len(p.heard) < rate {
		p.Fatalf("%s heard %d samples", p.format.Name, len(p.heard))
	}
	var re, im float64
	for i, v := range p.heard[len(p.heard)-rate:] {
		phase := 2 * math.Pi * freq * float64(i) / float64(rate)
		re += float64(v) * math.Cos(phase)
		im += float64(v) * math.Sin(phase)
	}
	if level := 2 * math.Hypot(re, im) / float64(rate); level < least || level > 12000 {
		p.Errorf("%s hears %.0f Hz at %.0f, 6000 is said", p.format.Name, freq, level)
	}
}
