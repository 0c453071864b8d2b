package playout

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/media/codec"
)

// network delays, loses, doubles and reorders packets, the same way each time.
type network struct {
	lossPercent, doublePercent int
	jitter                     time.Duration // uniform
	spikes                     time.Duration // one packet in 200 comes this much later, and those behind it with it
	burst                      int           // packets lost in a row, each time
}

func (n network) carry(packets []packetAt, seed uint64) []packetAt {
	random := rand.New(rand.NewPCG(seed, 99))
	var out []packetAt
	lose, spikeEnd := 0, time.Duration(0)
	for _, p := range packets {
		if lose == 0 && random.IntN(100) < n.lossPercent {
			lose = max(1, n.burst)
		}
		if lose > 0 {
			lose--
			continue
		}
		if n.jitter > 0 {
			p.arrives += time.Duration(random.Int64N(int64(n.jitter)))
		}
		if n.spikes > 0 && random.IntN(200) == 0 {
			spikeEnd = p.arrives + n.spikes
		}
		p.arrives = max(p.arrives, spikeEnd)
		out = append(out, p)
		if random.IntN(100) < n.doublePercent {
			p.arrives += 5 * time.Millisecond
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b packetAt) int { return int(a.arrives - b.arrives) })
	return out
}

// intact is the share of the ramp's samples that come out one after the other,
// each once.
func intact(pcm []int16, sent int) float64 {
	n := 0
	for i := 1; i < len(pcm); i++ {
		if step := int(pcm[i]) - int(pcm[i-1]); step == 1 || step == -29999 {
			n++
		}
	}
	return float64(n) / float64(sent)
}

// TestNetworks: what is heard of a minute, and at what delay (SPEC CD3).
func TestNetworks(t *testing.T) {
	cases := map[string]struct {
		network
		heard    float64       // at least, of what was sent
		delay    time.Duration // at most, at the end
		atLeast  time.Duration
		lateMost uint64
	}{
		"clean":           {network{}, 0.999, 40 * time.Millisecond, 20 * time.Millisecond, 0},
		"doubled":         {network{doublePercent: 50}, 0.999, 40 * time.Millisecond, 20 * time.Millisecond, 0},
		"a LAN":           {network{jitter: 10 * time.Millisecond}, 0.98, 40 * time.Millisecond, 20 * time.Millisecond, 5},
		"wireless":        {network{jitter: 80 * time.Millisecond, lossPercent: 1}, 0.93, 120 * time.Millisecond, 60 * time.Millisecond, 60},
		"lossy":           {network{lossPercent: 10}, 0.87, 40 * time.Millisecond, 20 * time.Millisecond, 0},
		"bursts of loss":  {network{lossPercent: 1, burst: 5}, 0.92, 40 * time.Millisecond, 20 * time.Millisecond, 0},
		"spikes of 100":   {network{spikes: 100 * time.Millisecond}, 0.93, 140 * time.Millisecond, 20 * time.Millisecond, 60},
		"worse than most": {network{jitter: 400 * time.Millisecond}, 0.15, 220 * time.Millisecond, 60 * time.Millisecond, 3000},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			signal := counting(60 * 8000)
			b := newBuffer()
			pcm, _, worst := play(b, c.carry(stream(signal, 160, onTime), 1), 1)
			s := b.Stats()
			heard := intact(pcm, len(signal))
			t.Logf("%.1f %% intact, delay %v (at most %v), %+v", 100*heard, s.Delay, worst, s)
			if heard < c.heard {
				t.Errorf("%.1f %% came out intact, want %.1f %%", 100*heard, 100*c.heard)
			}
			if s.Delay > c.delay || s.Delay < c.atLeast || worst > 220*time.Millisecond {
				t.Errorf("delay is %v, was %v at worst; want %v to %v, never over 220ms", s.Delay, worst, c.atLeast, c.delay)
			}
			if s.Late > c.lateMost {
				t.Errorf("%d packets came too late", s.Late)
			}
		})
	}
}

// TestDelayComesDownAgain: after the network has calmed, slowly.
func TestDelayComesDownAgain(t *testing.T) {
	signal := speech(60)
	rough := network{jitter: 120 * time.Millisecond}.carry(stream(signal[:20*8000], 160, onTime), 4)
	calm := stream(signal, 160, onTime)[1000:]
	b := newBuffer()
	play(b, append(rough, calm...), 1)
	if s := b.Stats(); s.Delay > 40*time.Millisecond || s.Shortened < 50*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

// TestPathChange: 100 ms longer at once, and shorter again; little is lost.
func TestPathChange(t *testing.T) {
	signal := counting(60 * 8000)
	packets := stream(signal, 160, func(i int) time.Duration {
		if i > 1000 && i < 2000 {
			return 100 * time.Millisecond
		}
		return 0
	})
	b := newBuffer()
	pcm, _, worst := play(b, packets, 1)
	if heard := intact(pcm, len(signal)); heard < 0.98 || worst > 220*time.Millisecond || b.Stats().Delay > 120*time.Millisecond {
		t.Errorf("%.1f %% intact, at most %v, %+v", 100*heard, worst, b.Stats())
	}
}

// TestPathChangeBeyondTheBound: 400 ms longer for good: a new timeline.
func TestPathChangeBeyondTheBound(t *testing.T) {
	signal := counting(60 * 8000)
	packets := stream(signal, 160, func(i int) time.Duration {
		if i > 1000 {
			return 400 * time.Millisecond
		}
		return 0
	})
	b := newBuffer()
	pcm, _, worst := play(b, packets, 1)
	if heard := intact(pcm, len(signal)); heard < 0.97 || worst > 220*time.Millisecond {
		t.Errorf("%.1f %% intact, at most %v, %+v", 100*heard, worst, b.Stats())
	}
}

// TestStall: the node itself stops for half a second; what waited meanwhile comes
// at once, and the delay does not stay.
func TestStall(t *testing.T) {
	packets := stream(counting(20*8000), 160, onTime)
	b := newBuffer()
	frame := make([]int16, 160)
	for now := time.Duration(0); now < 19*time.Second; now += Frame {
		if now == 10*time.Second {
			now += 500 * time.Millisecond
		}
		for len(packets) > 0 && packets[0].arrives <= now {
			b.Push(packets[0].seq, packets[0].ts, packets[0].payload, packets[0].arrives)
			packets = packets[1:]
		}
		b.Read(frame)
		if d := b.Stats().Delay; d > 220*time.Millisecond {
			t.Fatalf("delay %v", d)
		}
	}
	if s := b.Stats(); s.Delay > 60*time.Millisecond || s.Concealed > 5 {
		t.Errorf("%+v", s)
	}
}

// TestChangingPacketTime: 20, then 40, 10 and 60 ms without a word.
func TestChangingPacketTime(t *testing.T) {
	signal := counting(4 * 8000)
	b := newBuffer()
	var packets []packetAt
	seq, at := uint16(65530), 0
	for at < len(signal) {
		size := []int{160, 320, 80, 480}[at*4/len(signal)]
		size = min(size, len(signal)-at)
		packets = append(packets, packetAt{seq: seq, ts: uint32(at), payload: encode(signal[at : at+size]),
			arrives: time.Duration(at+size) * time.Second / 8000}) // a packet leaves when it is full
		seq, at = seq+1, at+size
	}
	pcm, _, _ := play(b, packets, 1)
	if heard := intact(pcm, len(signal)); heard < 0.95 || b.Stats().Late > 2 {
		t.Errorf("%.1f %% intact, %+v", 100*heard, b.Stats())
	}
}

// TestEventsAreNoLoss: during a telephone event there is silence, and no packet
// counts as lost.
func TestEventsAreNoLoss(t *testing.T) {
	b := newBuffer()
	frame := make([]int16, 160)
	concealed := uint64(0)
	for i, p := range stream(counting(16000), 160, onTime) {
		if i >= 30 && i < 40 {
			b.Skip(p.seq)
			if i == 35 {
				concealed = b.Stats().Concealed // the fade of what might be late
			}
		} else {
			b.Push(p.seq, p.ts, p.payload, p.arrives)
		}
		b.Read(frame)
	}
	if s := b.Stats(); s.Lost != 0 || s.Late != 0 || s.Concealed != concealed || s.Delay != 40*time.Millisecond {
		t.Errorf("%+v, %d concealed", s, concealed)
	}
	if r := b.Report(); r.TotalLost != 0 || r.FractionLost != 0 {
		t.Errorf("%+v", r)
	}
}

// TestAlwaysOrderedAndBounded: whatever the network does, audio goes forward, by
// at most a shift of 10 ms back, and the delay keeps its bound.
func TestAlwaysOrderedAndBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := network{
			lossPercent: rapid.IntRange(0, 30).Draw(rt, "loss"), doublePercent: rapid.IntRange(0, 30).Draw(rt, "double"),
			jitter: time.Duration(rapid.IntRange(0, 300).Draw(rt, "jitter")) * time.Millisecond,
			spikes: time.Duration(rapid.IntRange(0, 900).Draw(rt, "spikes")) * time.Millisecond,
			burst:  rapid.IntRange(1, 10).Draw(rt, "burst"),
		}
		size := rapid.SampledFrom([]int{80, 160, 240, 320, 480}).Draw(rt, "samples")
		signal := counting(29000)
		packets := n.carry(stream(signal, size, onTime), rapid.Uint64().Draw(rt, "seed"))
		if len(packets) == 0 {
			return
		}
		b := newBuffer()
		pcm, status, worst := play(b, packets, 1+float64(rapid.IntRange(-300, 300).Draw(rt, "ppm"))/1e6)
		if worst > 220*time.Millisecond {
			rt.Fatalf("delay %v", worst)
		}
		last := int16(0)
		for i, s := range status {
			if s != Voice {
				continue
			}
			v := pcm[i*160+159]
			if v != 0 && v < last-80 { // 0: the voice ended within the frame
				rt.Fatalf("frame %d ends at %d, after %d", i, v, last)
			}
			last = max(last, v)
		}
		s := b.Stats()
		if s.Voice+s.Concealed+s.Silent != uint64(len(status)) {
			rt.Errorf("%d frames, %+v", len(status), s)
		}
		if b.filled > len(b.ahead) || b.queue.used > b.queue.limit {
			rt.Errorf("filled %d, used %d", b.filled, b.queue.used)
		}
	})
}

// A buffer has what its stream needs: on a good path, with G.711, far less than for another.
func TestSmall(t *testing.T) {
	size := func(b *Buffer) int {
		return int(unsafe.Sizeof(*b)) + 2*cap(b.ahead) + 2*cap(b.conceal.history) + cap(b.queue.bytes) + int(unsafe.Sizeof(packet{}))*cap(b.queue.packets)
	}
	for rate, most := range map[int]int{8000: 4000, 16000: 6000} {
		b := New(Config{Decoder: linear{}, ClockRate: 8000, SampleRate: rate})
		if got := size(b); got > most {
			t.Errorf("%d Hz: %d octets", rate, got)
		}
	}
	all(t, func(c codec.Codec, b *Buffer, payload []byte, frame []int16) {
		if c.Name != "PCMU" {
			return
		}
		for i := range 100 {
			b.Push(uint16(i), uint32(i*len(frame)), payload, time.Duration(i)*Frame)
			b.Read(frame)
		}
		if got := size(b); got > 3300 {
			t.Errorf("%d octets after two seconds of %s", got, c.Name)
		}
	})
}

// all makes a buffer for each codec that the node has.
func all(t testing.TB, f func(c codec.Codec, b *Buffer, payload []byte, frame []int16)) {
	t.Helper()
	for _, c := range codec.Standard().Codecs() {
		decoder, err := c.NewDecoder(c.Format)
		if err != nil {
			t.Fatal(err)
		}
		encoder, err := c.NewEncoder(c.Format)
		if err != nil {
			t.Fatal(err)
		}
		frame := make([]int16, c.SampleRate/50)
		for i := range frame {
			frame[i] = int16(i * 50)
		}
		payload := make([]byte, 400)
		n, _ := encoder.Encode(payload, frame)
		f(c, New(Config{Decoder: decoder, ClockRate: c.ClockRate, SampleRate: c.SampleRate}), payload[:n], frame)
	}
}

// TestNoAllocationWithRealCodecs: loss, lateness and doubles included.
func TestNoAllocationWithRealCodecs(t *testing.T) {
	all(t, func(c codec.Codec, b *Buffer, payload []byte, frame []int16) {
		i := 0
		step := func() {
			if i%7 != 3 {
				b.Push(uint16(i), uint32(i*c.ClockRate/50), payload, time.Duration(i)*Frame)
			}
			if i%11 == 5 {
				b.Push(uint16(i-3), uint32((i-3)*c.ClockRate/50), payload, time.Duration(i)*Frame)
			}
			i++
			b.Read(frame)
			b.Report()
			b.Stats()
		}
		for range 200 {
			step()
		}
		if a := testing.AllocsPerRun(1000, step); a != 0 {
			t.Errorf("%s: %v allocations a frame", c.Name, a)
		}
	})
}

// FuzzPushRead: no packets and no ticks make it panic, or pass its bounds (SPEC
// SE4).
func FuzzPushRead(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, uint16(160))
	f.Add([]byte("pushed, read; pushed again and skipped: reset"), uint16(0))
	f.Fuzz(func(t *testing.T, script []byte, size uint16) {
		all(t, func(c codec.Codec, b *Buffer, _ []byte, frame []int16) {
			var seq uint16
			var ts uint32
			payload := make([]byte, size%2048)
			for i, op := range script {
				switch op % 8 {
				case 0:
					b.Read(frame)
				case 1:
					seq++
					ts += 160
				case 2:
					seq += uint16(op) << 7
				case 3:
					ts -= uint32(op) << 20
				case 4:
					b.Skip(seq)
				case 5:
					b.Read(frame[:int(op)%len(frame)])
					b.Report()
				case 6:
					if op > 240 {
						b.Reset()
					}
					ts += uint32(op) * 13
				default:
					b.Push(seq, ts, payload[:min(len(payload), int(op)*4)], time.Duration(i)*Frame)
					seq++
				}
				if b.filled < 0 || b.filled > len(b.ahead) || b.queue.used > b.queue.limit || b.Stats().Delay < 0 {
					t.Fatalf("filled %d, used %d, %+v", b.filled, b.queue.used, b.Stats())
				}
			}
		})
	})
}

func BenchmarkPushRead(b *testing.B) {
	all(b, func(c codec.Codec, buffer *Buffer, payload []byte, frame []int16) {
		for name, lose := range map[string]int{"clean": 1 << 30, "loss of 5 %": 20} {
			b.Run(c.Name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				buffer.Reset()
				i := 0
				for b.Loop() {
					if i++; i%lose != 0 {
						buffer.Push(uint16(i), uint32(i*c.ClockRate/50), payload, time.Duration(i)*Frame)
					}
					buffer.Read(frame)
				}
			})
		}
	})
}
