package playout

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// linear is a decoder whose payload is the samples themselves, so that a test
// sees exactly which ones are played.
type linear struct{}

func (linear) Decode(pcm []int16, payload []byte) (int, error) {
	for i := 0; i+1 < len(payload); i += 2 {
		pcm[i/2] = int16(binary.LittleEndian.Uint16(payload[i:]))
	}
	return len(payload) / 2, nil
}

func encode(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func newBuffer() *Buffer {
	return New(Config{Decoder: linear{}, ClockRate: 8000, SampleRate: 8000, BitRate: 128000})
}

// packetAt is one packet of a simulated stream.
type packetAt struct {
	seq     uint16
	ts      uint32
	payload []byte
	arrives time.Duration
}

// stream cuts a signal into packets of the given length, each arriving after a
// delay of its own.
func stream(signal []int16, perPacket int, delay func(i int) time.Duration) []packetAt {
	var list []packetAt
	for i := 0; (i+1)*perPacket <= len(signal); i++ {
		sent := time.Duration(i*perPacket) * time.Second / 8000
		list = append(list, packetAt{
			seq: uint16(65500 + i), ts: uint32(4294960000 + i*perPacket), // both wrap
			payload: encode(signal[i*perPacket : (i+1)*perPacket]), arrives: sent + delay(i),
		})
	}
	slices.SortStableFunc(list, func(a, b packetAt) int { return int(a.arrives - b.arrives) })
	return list
}

// play ticks the buffer while packets arrive and returns all that it gave, with
// the status of each frame. clock stretches the listener's time.
func play(b *Buffer, packets []packetAt, clock float64) (pcm []int16, status []Status, worst time.Duration) {
	frame := make([]int16, 160)
	last := packets[len(packets)-1].arrives
	for now := time.Duration(0); now < last+200*time.Millisecond; now += time.Duration(float64(Frame) * clock) {
		for len(packets) > 0 && packets[0].arrives <= now {
			p := packets[0]
			b.Push(p.seq, p.ts, p.payload, p.arrives)
			packets = packets[1:]
		}
		status = append(status, b.Read(frame))
		pcm = append(pcm, frame...)
		if now > 2*time.Second {
			worst = max(worst, b.Stats().Delay)
		}
	}
	return pcm, status, worst
}

// counting is a signal that tells each sample apart and never is quiet.
func counting(n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(i%30000 + 1000)
	}
	return s
}

func onTime(int) time.Duration { return 0 }

func count(list []Status, s Status) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// CD3: packets of any length come out as frames of 20 ms, nothing lost or added.
func TestCleanStreamOfAnyPacketTime(t *testing.T) {
	signal := counting(24000)
	for _, ms := range []int{10, 20, 30, 40, 60} {
		b := newBuffer()
		pcm, status, _ := play(b, stream(signal, ms*8, onTime), 1)
		start := slices.Index(pcm, signal[0])
		whole := len(signal) / (ms * 8) * ms * 8
		if start < 0 || start > 8*(2*ms+40) {
			t.Errorf("%d ms: begins at sample %d", ms, start)
			continue
		}
		whole -= whole % 160
		if !slices.Equal(pcm[start:start+whole], signal[:whole]) {
			t.Errorf("%d ms: the audio is not what was sent; %d frames concealed", ms, count(status, Concealed))
		}
	}
}

// CD3: order and copies do not matter.
func TestReorderedAndDoubled(t *testing.T) {
	signal := counting(16000)
	packets := stream(signal, 160, func(i int) time.Duration { return time.Duration(i%3) * 21 * time.Millisecond })
	packets = append(packets, packets[10:40]...)
	slices.SortStableFunc(packets, func(a, b packetAt) int { return int(a.arrives - b.arrives) })
	b := newBuffer()
	pcm, _, _ := play(b, packets, 1)
	at := slices.Index(pcm, signal[8000])
	if at < 0 || !slices.Equal(pcm[at:at+4000], signal[8000:12000]) {
		t.Error("the second half does not come out whole")
	}
	if st := b.Stats(); st.Duplicate+st.Late < 30 || st.Lost > 2 {
		t.Errorf("%+v", st)
	}
}

// speech is a sum of harmonics whose pitch and level wander: what the concealer
// has to deal with.
func speech(seconds int) []int16 {
	s := make([]int16, 8000*seconds)
	phase := 0.0
	for i := range s {
		t := float64(i) / 8000
		phase += 2 * math.Pi * (120 + 20*math.Sin(2*math.Pi*0.7*t)) / 8000
		envelope := 0.55 + 0.45*math.Sin(2*math.Pi*1.3*t)
		v := math.Sin(phase) + 0.6*math.Sin(2*phase) + 0.4*math.Sin(3*phase) + 0.2*math.Sin(7*phase)
		s[i] = int16(6000 * envelope * v)
	}
	return s
}

// snr compares with the signal at the shift where they fit best, over windows of
// 20 ms, in dB, each window counted at most 35 dB and no less than -10.
func snr(pcm, signal []int16) float64 {
	best := math.Inf(-1)
	for shift := 0; shift < 8000*4/10; shift += 160 {
		sum, n := 0.0, 0
		for w := 8000; w+160 < len(signal) && w+160+shift < len(pcm); w += 160 {
			var s, e float64
			for i := range 160 {
				a, b := float64(signal[w+i]), float64(pcm[w+i+shift])
				s += a * a
				e += (a - b) * (a - b)
			}
			sum += min(max(10*math.Log10((s+1)/(e+1)), -10), 35)
			n++
		}
		best = max(best, sum/float64(n))
	}
	return best
}

// CD3: 5 % loss and jitter of up to 60 ms are survived with little harm.
func TestLossAndJitter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	signal := speech(20)
	packets := stream(signal, 160, func(int) time.Duration { return time.Duration(random.IntN(60)) * time.Millisecond })
	packets = slices.DeleteFunc(packets, func(packetAt) bool { return random.IntN(100) < 5 })
	b := newBuffer()
	_, status, worst := play(b, packets, 1)
	if worst > 160*time.Millisecond {
		t.Errorf("delay grew to %v", worst)
	}
	if n := count(status, Concealed); n > len(status)/10 {
		t.Errorf("%d of %d frames concealed, about 5 %% were lost", n, len(status))
	}
	st := b.Stats()
	if st.Late > uint64(len(packets)/50) {
		t.Errorf("%+v", st)
	}
}

// CD3: what is made up is like what was lost.
func TestConcealmentResemblesSpeech(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	signal := speech(20)
	packets := slices.DeleteFunc(stream(signal, 160, onTime), func(p packetAt) bool {
		return p.seq != 65500 && random.IntN(100) < 5
	})
	concealed, _, _ := play(newBuffer(), packets, 1)
	silent := slices.Clone(concealed)
	// The same with losses left silent, for comparison.
	b := newBuffer()
	frame := make([]int16, 160)
	at := 0
	for i := 0; i+160 <= len(silent); i += 160 {
		now := time.Duration(i) * time.Second / 8000
		for at < len(packets) && packets[at].arrives <= now {
			b.Push(packets[at].seq, packets[at].ts, packets[at].payload, packets[at].arrives)
			at++
		}
		if b.Read(frame) == Concealed {
			clear(silent[i : i+160])
		}
	}
	with, without := snr(concealed, signal), snr(silent, signal)
	t.Logf("segmental SNR %.1f dB concealed, %.1f dB silent", with, without)
	if with < without+0.3 {
		t.Errorf("concealment: %.1f dB, silence: %.1f dB", with, without)
	}
}

// CD3: a sender whose clock runs fast or slow for a quarter of an hour costs
// neither delay nor words.
func TestClockDrift(t *testing.T) {
	for _, ppm := range []float64{-300, 300} {
		signal := speech(900)
		// A quiet moment in each second, as in speech.
		for i := range signal {
			if i%8000 < 1600 {
				signal[i] = 0
			}
		}
		b := newBuffer()
		_, status, worst := play(b, stream(signal, 160, onTime), 1+ppm/1e6)
		if worst > 100*time.Millisecond {
			t.Errorf("%+.0f ppm: delay grew to %v, %+v", ppm, worst, b.Stats())
		}
		if n := count(status, Concealed); n > 40 {
			t.Errorf("%+.0f ppm: %d frames concealed, %+v", ppm, n, b.Stats())
		}
	}
}

// A pause that the sender left out is silence, not loss.
func TestDTXGap(t *testing.T) {
	signal := counting(16000)
	packets := stream(signal, 160, onTime)
	for i := 50; i < len(packets); i++ { // a second of silence not sent
		packets[i].ts += 8000
		packets[i].arrives += time.Second
	}
	b := newBuffer()
	play(b, packets, 1)
	if st := b.Stats(); st.Lost != 0 || st.Late != 0 {
		t.Errorf("%+v", st)
	}
}

// Another stream under the same SSRC begins anew.
func TestJumpIsANewStream(t *testing.T) {
	signal := counting(16000)
	packets := stream(signal, 160, onTime)
	for i := 50; i < len(packets); i++ {
		packets[i].seq += 20000
		packets[i].ts += 123456789
	}
	b := newBuffer()
	pcm, _, _ := play(b, packets, 1)
	if at := slices.Index(pcm, signal[15000]); at < 0 {
		t.Error("the new stream was not played")
	}
}

// No sample is played twice and the delay stays bounded, whatever arrives when.
func TestNothingIsPlayedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signal := make([]int16, 160*150)
		for i := range signal {
			signal[i] = int16(i/160 + 1) // the frame's number
		}
		packets := stream(signal, 160, func(int) time.Duration {
			return time.Duration(rapid.IntRange(0, 150).Draw(t, "delay")) * time.Millisecond
		})
		packets = slices.DeleteFunc(packets, func(packetAt) bool { return rapid.IntRange(0, 9).Draw(t, "lose") == 0 })
		if len(packets) == 0 {
			return
		}
		b := newBuffer()
		pcm, status, worst := play(b, packets, 1)
		if worst > 400*time.Millisecond {
			t.Fatalf("delay %v", worst)
		}
		last := int16(0)
		for i, s := range status {
			if s != Voice {
				continue
			}
			if v := pcm[i*160+80]; v != 0 && v <= last && i*160+80 > 0 {
				// Inserted frames repeat the last one on purpose.
				if b.Stats().Stretched == 0 {
					t.Fatalf("frame %d after %d", v, last)
				}
			} else {
				last = max(last, v)
			}
		}
	})
}

// RFC 3550 section 6.4.1: what a report says.
func TestReport(t *testing.T) {
	b := newBuffer()
	for i, p := range stream(counting(16000), 160, onTime) {
		if i%4 != 3 {
			b.Push(p.seq, p.ts, p.payload, p.arrives)
		}
	}
	r := b.Report()
	if r.TotalLost != 24 || r.FractionLost < 60 || r.FractionLost > 64 || r.HighestSequence != 65500+98 {
		t.Errorf("%+v", r)
	}
	if again := b.Report(); again.FractionLost != 0 || again.TotalLost != 24 {
		t.Errorf("a second interval without packets: %+v", again)
	}
}

func TestNoAllocation(t *testing.T) {
	b := newBuffer()
	frame, payload := make([]int16, 160), encode(counting(160))
	i := 0
	step := func() {
		b.Push(uint16(i), uint32(i*160), payload, time.Duration(i)*Frame)
		if i%10 == 5 {
			i++ // lost
		}
		i++
		b.Read(frame)
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
