package mixer

import (
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
)

// lab is a mixer with callers on real sockets.
type lab struct {
	t        testing.TB
	registry *codec.Registry
	ports    *session.Ports
	mixer    *Mixer
	callers  []*caller
	ticks    int
	by       *session.Traffic
}

// caller is the far end of a port: it says a tone and keeps what it hears.
type caller struct {
	port    *Port
	socket  *net.UDPConn
	format  codec.Format
	encoder codec.Encoder
	decoder codec.Decoder
	freq    float64 // Hz of its tone; 0: silence
	loud    float64 // amplitude of its tone
	noise   float64 // and of the noise with it, its standard deviation
	random  *rand.Rand
	seq     uint16
	sample  int
	heard   []int16
}

func newLab(t testing.TB, music Sound) *lab {
	return newLabOf(t, Config{Music: music, AutoGain: true, Comfort: -60})
}

func newLabOf(t testing.TB, config Config) *lab {
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), 35000, 39999)
	if err != nil {
		t.Fatal(err)
	}
	by, err := session.NewBatchedTraffic()
	if err != nil {
		t.Log("every packet is sent by itself: ", err)
		by = session.NewTraffic()
	}
	t.Cleanup(func() { by.Close() })
	return &lab{t: t, registry: codec.Standard(), ports: ports, mixer: New(config), by: by}
}

// join adds a caller with a codec that says a tone.
func (l *lab) join(name string, freq float64, m Mode) *caller {
	l.t.Helper()
	c, ok := l.registry.Lookup(name, 8000)
	if !ok {
		c, ok = l.registry.Lookup(name, 48000)
	}
	if !ok {
		l.t.Fatal("no codec ", name)
	}
	if c.PayloadType < 0 {
		c.PayloadType = 96
	}
	s, err := session.Open(l.ports, l.registry)
	if err != nil {
		l.t.Fatal(err)
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { s.Close(); socket.Close() })
	remote := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := s.Apply(offeranswer.Media{Format: c.Format, DTMF: 101, PacketTime: session.FrameTime,
		Remote: remote, RemoteRTCP: netip.AddrPortFrom(remote.Addr(), 9)}, 0); err != nil {
		l.t.Fatal(err)
	}
	encoder, err := c.NewEncoder(c.Format)
	if err != nil {
		l.t.Fatal(err)
	}
	decoder, err := c.NewDecoder(c.Format)
	if err != nil {
		l.t.Fatal(err)
	}
	who := &caller{port: NewPort(s, nil), socket: socket, format: c.Format, encoder: encoder, decoder: decoder, freq: freq, loud: 4000,
		random: rand.New(rand.NewPCG(uint64(len(l.callers)), 1))}
	l.mixer.Add(who.port)
	who.port.SetMode(m)
	l.callers = append(l.callers, who)
	return who
}

// speak sends the caller's next 20 ms.
func (c *caller) speak(t testing.TB) {
	rate := c.format.SampleRate
	pcm := make([]int16, rate/50)
	for i := range pcm {
		v := c.noise * c.random.NormFloat64()
		if c.freq > 0 {
			v += c.loud * math.Sin(2*math.Pi*c.freq*float64(c.sample)/float64(rate))
		}
		pcm[i] = saturate(int32(v))
		c.sample++
	}
	payload := make([]byte, 1000)
	n, err := c.encoder.Encode(payload, pcm)
	if err != nil {
		t.Fatal(err)
	}
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: uint8(c.format.PayloadType), SequenceNumber: c.seq,
		Timestamp: uint32(c.seq) * uint32(c.format.ClockRate/50), SSRC: 1}, Payload: payload[:n]}
	c.seq++
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.socket.WriteToUDPAddrPort(b, c.port.Media().Addr()); err != nil {
		t.Fatal(err)
	}
}

// listen takes the one packet that each tick sends.
func (c *caller) listen(t testing.TB) {
	buf := make([]byte, 2000)
	if err := c.socket.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := c.socket.Read(buf)
	if err != nil {
		t.Fatal("no packet in a tick: ", err)
	}
	var p rtp.Packet
	if err := p.Unmarshal(buf[:n]); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 960)
	n, err = c.decoder.Decode(pcm, p.Payload)
	if err != nil {
		t.Fatal(err)
	}
	c.heard = append(c.heard, pcm[:n]...)
}

// run lets time pass.
func (l *lab) run(ticks int) {
	l.t.Helper()
	for range ticks {
		for _, c := range l.callers {
			c.speak(l.t)
		}
		l.tick()
		for _, c := range l.callers {
			c.listen(l.t)
		}
	}
}

// tick is what the engine does.
func (l *lab) tick() {
	l.mixer.Tick(time.Duration(l.ticks)*session.FrameTime, l.by)
	l.by.Flush()
	l.ticks++
}

// settle lets jitter buffers fill, and forgets what was heard meanwhile.
func (l *lab) settle() {
	l.t.Helper()
	l.run(30)
	for _, c := range l.callers {
		c.heard = nil
	}
}

// level is the amplitude of a frequency in what was heard.
func (c *caller) level(freq float64) float64 {
	var re, im float64
	for i, v := range c.heard {
		phase := 2 * math.Pi * freq * float64(i) / float64(c.format.SampleRate)
		re += float64(v) * math.Cos(phase)
		im += float64(v) * math.Sin(phase)
	}
	return 2 * math.Hypot(re, im) / float64(len(c.heard))
}

// hears checks that exactly these tones are heard, of those that are spoken.
func (c *caller) hears(t *testing.T, who string, l *lab, want ...float64) {
	t.Helper()
	for _, other := range l.callers {
		if other.freq == 0 {
			continue
		}
		level := c.level(other.freq)
		switch heard := slices.Contains(want, other.freq); {
		case heard && math.Abs(level-4000) > 400:
			t.Errorf("%s hears %v Hz at %.0f, want some 4000", who, other.freq, level)
		case !heard && level > 60:
			t.Errorf("%s hears %v Hz at %.0f, want nothing", who, other.freq, level)
		}
	}
}

var talk = Mode{Speaks: true, Hears: true}

func TestEveryoneHearsTheOthers(t *testing.T) {
	l := newLab(t, nil)
	a, b, c := l.join("PCMU", 400, talk), l.join("PCMA", 700, talk), l.join("PCMU", 1100, talk)
	l.settle()
	l.run(50)
	a.hears(t, "a", l, 700, 1100)
	b.hears(t, "b", l, 400, 1100)
	c.hears(t, "c", l, 400, 700)
}

// CF8: modes.
func TestModes(t *testing.T) {
	l := newLab(t, nil)
	a := l.join("PCMU", 400, talk)
	muted := l.join("PCMU", 700, Mode{Hears: true})
	held := l.join("PCMU", 1100, Mode{})
	listener := l.join("PCMA", 0, Mode{Hears: true})
	l.settle()
	l.run(50)
	a.hears(t, "the speaker", l)
	muted.hears(t, "the muted one", l, 400)
	held.hears(t, "the one on hold", l)
	listener.hears(t, "the listener", l, 400)
}

// CD2: a room mixes at the best rate that anyone in it can hear.
func TestWidebandAndNarrowbandTogether(t *testing.T) {
	l := newLab(t, nil)
	wide, wide2, narrow := l.join("G722", 500, talk), l.join("G722", 5000, talk), l.join("PCMU", 1200, talk)
	l.settle()
	l.run(50)
	wide.hears(t, "a wideband caller", l, 5000, 1200)
	wide2.hears(t, "the other wideband caller", l, 500, 1200)
	narrow.hears(t, "the narrowband caller", l, 500)
	if alias := narrow.level(3000); alias > 60 {
		t.Errorf("5 kHz comes out as 3 kHz at %.0f", alias)
	}
	// The last wideband callers leave: the mix is narrowband again and goes on.
	for _, p := range []*caller{wide, wide2} {
		l.mixer.Remove(p.port)
	}
	l.callers = []*caller{narrow}
	other := l.join("PCMU", 2000, talk)
	l.settle()
	l.run(50)
	other.hears(t, "a narrowband caller", l, 1200)
}

// tone is a sound of one frequency.
type tone struct{ narrow, wide, full []int16 }

func newTone(freq float64, d time.Duration) tone {
	make1 := func(rate int) []int16 {
		pcm := make([]int16, int(d.Seconds()*float64(rate)))
		for i := range pcm {
			pcm[i] = int16(4000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
		}
		return pcm
	}
	return tone{make1(8000), make1(16000), make1(48000)}
}

func (s tone) PCM(rate int) []int16 {
	switch rate {
	case 8000:
		return s.narrow
	case 16000:
		return s.wide
	}
	return s.full
}

// CF7, CF5: music for those who wait; it loops, and nobody else hears it.
func TestMusic(t *testing.T) {
	l := newLab(t, newTone(900, time.Second))
	waiting := l.join("PCMU", 400, Mode{Music: true})
	talking := l.join("PCMU", 700, talk)
	l.settle()
	l.run(100)
	if level := waiting.level(900); math.Abs(level-4000) > 400 {
		t.Errorf("the one who waits hears music at %.0f", level)
	}
	if level := talking.level(900); level > 60 {
		t.Errorf("one who talks hears the music at %.0f", level)
	}
	waiting.hears(t, "the one who waits", l)
	talking.hears(t, "the one who talks", l)
}

// CF6: what is said to one caller is heard by nobody else, ducks the mix, and
// tells when it has been heard.
func TestPrivatePrompt(t *testing.T) {
	l := newLab(t, nil)
	a, b := l.join("PCMU", 400, talk), l.join("PCMU", 700, talk)
	l.settle()
	a.port.Play(7, newTone(1500, 500*time.Millisecond), newTone(1500, 500*time.Millisecond))
	l.run(50)
	if level := a.level(1500); math.Abs(level-4000) > 400 {
		t.Errorf("the prompt is heard at %.0f", level)
	}
	if level := a.level(700); level > 1200 || level < 600 {
		t.Errorf("the mix underneath is heard at %.0f, want a quarter", level)
	}
	if b.level(1500) > 60 {
		t.Error("the other one hears the prompt too")
	}
	if e, ok := a.port.Next(); !ok || e.Kind != EventPlayed || e.Tag != 7 {
		t.Errorf("%v, %+v", ok, e)
	}
}

func TestAnnouncementIsHeardByAllWhoHear(t *testing.T) {
	l := newLab(t, nil)
	a, held := l.join("PCMU", 400, talk), l.join("PCMU", 0, Mode{})
	l.settle()
	l.mixer.Announce(newTone(1500, time.Second))
	l.run(50)
	if level := a.level(1500); math.Abs(level-4000) > 400 {
		t.Errorf("heard at %.0f", level)
	}
	if level := held.level(1500); level > 60 {
		t.Errorf("one on hold hears it at %.0f", level)
	}
}

// CF6, CF7: one who is alone with the music hears announcements, whether its
// telephone sends anything or not, and itself never.
func TestAnnouncementToOneAlone(t *testing.T) {
	for _, sends := range []bool{true, false} {
		l := newLab(t, newTone(900, time.Second))
		alone := l.join("PCMU", 400, Mode{Speaks: sends, Hears: true, Music: true})
		l.settle()
		l.mixer.Announce(newTone(1500, time.Second))
		l.run(50)
		if level := alone.level(1500); math.Abs(level-4000) > 400 {
			t.Errorf("sends %v: the announcement is heard at %.0f", sends, level)
		}
		alone.heard = nil
		l.run(50)
		if level := alone.level(900); math.Abs(level-4000) > 400 {
			t.Errorf("sends %v: the music comes back at %.0f", sends, level)
		}
		alone.hears(t, "the one alone", l)
	}
}

// CF6: louder and softer.
func TestVolumes(t *testing.T) {
	l := newLab(t, nil)
	a, b := l.join("PCMU", 400, talk), l.join("PCMU", 700, talk)
	a.port.SetVolumes(-2, 2)
	l.settle()
	l.run(50)
	if level := a.level(700); math.Abs(level-2000) > 200 {
		t.Errorf("a turned down what it hears by 6 dB and hears %.0f", level)
	}
	if level := b.level(400); math.Abs(level-8000) > 800 {
		t.Errorf("a turned up what it says by 6 dB and is heard at %.0f", level)
	}
}

// CF7: a recorded name.
func TestCapture(t *testing.T) {
	l := newLab(t, nil)
	a := l.join("PCMU", 400, Mode{})
	l.settle()
	a.port.Capture(200 * time.Millisecond)
	l.run(20)
	e, ok := a.port.Next()
	if !ok || e.Kind != EventCaptured || len(e.Captured) != 1600 || e.Rate != 8000 {
		t.Fatalf("%v, %v, %d samples at %d Hz", ok, e.Kind, len(e.Captured), e.Rate)
	}
	c := caller{heard: e.Captured, format: codec.Format{SampleRate: 8000}}
	if level := c.level(400); math.Abs(level-4000) > 400 {
		t.Errorf("recorded at %.0f", level)
	}
}

// A port that has just been added neither speaks nor hears (fail-closed).
func TestNewPortIsSilentAndDeaf(t *testing.T) {
	l := newLab(t, nil)
	a, b := l.join("PCMU", 400, talk), l.join("PCMU", 700, talk)
	l.settle()
	l.mixer.Remove(b.port)
	l.mixer.Add(b.port)
	l.run(25)
	a.hears(t, "a", l)
	b.hears(t, "b", l)
}

func TestTickAllocatesNothing(t *testing.T) {
	l := newLab(t, newTone(900, time.Second))
	l.join("PCMU", 400, talk)
	l.join("G722", 700, talk)
	l.join("PCMA", 0, Mode{Hears: true})
	l.join("PCMA", 0, Mode{Music: true})
	l.run(50)
	now := time.Duration(l.ticks) * session.FrameTime
	if n := testing.AllocsPerRun(100, func() { l.mixer.Tick(now, l.by); l.by.Flush() }); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// listener is a Tap that keeps what it is given.
type listener struct {
	mix    caller
	voices map[*Port]*caller
	frames int
}

func (l *listener) Voice(p *Port, rate int, pcm []int16) {
	if l.voices[p] == nil {
		l.voices[p] = &caller{}
	}
	l.voices[p].format.SampleRate = rate
	l.voices[p].heard = append(l.voices[p].heard, pcm...)
}

func (l *listener) Frame(rate int, mix []int16) {
	l.mix.format.SampleRate = rate
	l.mix.heard = append(l.mix.heard, mix...)
	l.frames++
}

// CF10: a tap has the mix, and each voice for itself, of those alone who are heard.
func TestTap(t *testing.T) {
	l := newLab(t, nil)
	a, b := l.join("PCMU", 400, talk), l.join("PCMU", 700, talk)
	muted := l.join("PCMA", 1100, Mode{Hears: true})
	l.settle()
	tap := &listener{voices: map[*Port]*caller{}}
	l.mixer.SetTap(tap)
	l.run(50)
	l.mixer.SetTap(nil)
	l.run(5)
	tap.mix.hears(t, "the mix", l, 400, 700)
	if tap.frames != 50 || len(tap.voices) != 2 || tap.voices[muted.port] != nil {
		t.Fatalf("%d frames, %d voices", tap.frames, len(tap.voices))
	}
	tap.voices[a.port].hears(t, "the track of a", l, 400)
	tap.voices[b.port].hears(t, "the track of b", l, 700)
}
