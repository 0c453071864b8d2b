package caller

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/tone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	node  = netip.MustParseAddrPort("10.1.0.1:20000")
)

func at(d time.Duration) time.Time { return begin.Add(d) }

// hear gives an ear a sound, a packet every 20 ms from a moment on.
func hear(e *ear, from time.Duration, s tone.Sound) {
	for i := 0; i+samples <= len(s.Samples); i += samples {
		e.take(at(from+time.Duration(i/samples)*frame), node, 1, s.Samples[i:i+samples])
	}
}

func sine(hertz int, d time.Duration) tone.Sound { return tone.Sine(rate, float64(hertz), -26, d) }

func TestEarHearsWhoSpeaksWhen(t *testing.T) {
	e := newEar([]int{420, 620, 1010})
	hear(e, 0, sine(420, time.Second))
	hear(e, time.Second, tone.Mix(sine(420, time.Second), sine(1010, time.Second)))
	hear(e, 2*time.Second, tone.Silence(rate, time.Second))
	got := e.timeline(at(3 * time.Second))
	for _, want := range []struct {
		tone     int
		from, to time.Duration
		share    float64
	}{{420, 0, 2 * time.Second, 0.95}, {1010, 0, 950 * time.Millisecond, 0}, {1010, time.Second, 2 * time.Second, 0.9},
		{620, 0, 3 * time.Second, 0}, {420, 2050 * time.Millisecond, 3 * time.Second, 0}} {
		share := got.Share(want.tone, at(want.from), at(want.to))
		if want.share == 0 && share != 0 || share < want.share {
			t.Errorf("%d Hz is heard for %v of %v to %v, want %v\n%s", want.tone, share, want.from, want.to, want.share, got)
		}
	}
	if len(got.Heard) != 2 || len(got.Gaps) != 0 || got.Packets != 150 || len(got.Sources) != 1 {
		t.Errorf("timeline:\n%s", got)
	}
}

func TestEarFindsGaps(t *testing.T) {
	e := newEar([]int{420})
	hear(e, 0, sine(420, time.Second))
	hear(e, 1500*time.Millisecond, sine(420, time.Second))
	got := e.timeline(at(4 * time.Second))
	want := []Gap{{at(time.Second), at(1500 * time.Millisecond)}, {at(2500 * time.Millisecond), at(4 * time.Second)}}
	if len(got.Gaps) != 2 || got.Gaps[0] != want[0] || got.Gaps[1] != want[1] {
		t.Errorf("gaps %v, want %v", got.Gaps, want)
	}
	if s := got.Silence(at(0), at(3*time.Second)); s != time.Second {
		t.Errorf("%v without audio, want a second", s)
	}
	if len(e.heard.Gaps) != 1 {
		t.Error("looking at the timeline has changed it")
	}
	if s := got.Share(420, at(1050*time.Millisecond), at(1450*time.Millisecond)); s != 0 {
		t.Errorf("the tone is heard for %v of a gap", s)
	}
}

func TestEarIsBounded(t *testing.T) {
	var list []int
	dropped, moved := 0, 0
	for i := range maxEntries + 10 {
		if add(&list, i, &dropped) {
			moved++
		}
	}
	if len(list) != maxEntries/2+10 || dropped != maxEntries/2 || moved != 1 || list[len(list)-1] != maxEntries+9 {
		t.Errorf("%d entries, %d dropped in %d steps", len(list), dropped, moved)
	}
}

// A caller's own tone survives its own coding, and keys are events as RFC 4733 wants.
func TestMouth(t *testing.T) {
	m, e := newMouth(1010), newEar([]int{1010})
	m.keys = "1#"
	var keys []byte
	var stamps []uint32
	for i := range 200 {
		var p rtp.Packet
		if err := p.Unmarshal(m.next(nil)); err != nil {
			t.Fatal(err)
		}
		if p.PayloadType == pcap.EventType {
			keys = append(keys, p.Payload[0]<<4|p.Payload[1]>>7)
			stamps = append(stamps, p.Timestamp)
			continue
		}
		audio := make([]int16, len(p.Payload))
		for k, b := range p.Payload {
			audio[k] = linear(b)
		}
		e.take(at(time.Duration(i)*frame), node, p.SSRC, audio)
	}
	// Four packets and three of the end, for 1 and for # (11).
	if want := []byte{0x10, 0x10, 0x10, 0x10, 0x11, 0x11, 0x11, 0xb0, 0xb0, 0xb0, 0xb0, 0xb1, 0xb1, 0xb1}; !bytes.Equal(keys, want) {
		t.Errorf("keys %x, want %x", keys, want)
	}
	if stamps[0] != stamps[6] || stamps[7]-stamps[0] != (keyPackets+keyPause)*samples {
		t.Errorf("timestamps %v", stamps)
	}
	if s := e.timeline(at(4*time.Second)).Share(1010, at(time.Second), at(4*time.Second)); s < 0.98 {
		t.Errorf("the tone is heard for %v of the time", s)
	}
	m.silent = true
	if p := m.next(nil); linear(p[12]) != 0 || len(p) != 12+samples {
		t.Errorf("muted: %x", p)
	}
}

func TestLinear(t *testing.T) {
	for i := range 256 {
		if got := pcap.PCMU.Encode(linear(byte(i))); got != byte(i) && i != 0x7f { // 0x7f is the other zero
			t.Errorf("%#x is decoded to %d, and that coded to %#x", i, linear(byte(i)), got)
		}
	}
}
