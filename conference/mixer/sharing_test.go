package mixer

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

// counted is G.722 that counts the frames that it encodes.
type counted struct {
	codec.Encoder
	frames *atomic.Int64
}

func (c counted) Encode(dst []byte, pcm []int16) (int, error) {
	c.frames.Add(int64(len(pcm) / 320))
	return c.Encoder.Encode(dst, pcm)
}

func (c counted) CopyState(from codec.Encoder) bool {
	other, ok := from.(counted)
	return ok && c.Encoder.(codec.StateCopier).CopyState(other.Encoder)
}

func countedG722(frames *atomic.Int64) codec.Codec {
	c := codec.G722()
	start := c.NewEncoder
	c.NewEncoder = func(f codec.Format) (codec.Encoder, error) {
		e, err := start(f)
		return counted{e, frames}, err
	}
	return c
}

// SPEC CD2: listeners with a codec that has memory are sent one encoding.
func TestOneEncodingForAllListeners(t *testing.T) {
	var frames atomic.Int64
	l := newLab(t, nil)
	l.registry = codec.NewRegistry(codec.PCMU(), countedG722(&frames))
	l.join("PCMU", 500, talk)
	var listeners []*caller
	for range 20 {
		listeners = append(listeners, l.join("G722", 0, Mode{Hears: true}))
	}
	l.settle()
	spoken := frames.Load() // those of the far ends count, too
	l.run(50)
	if n := frames.Load() - spoken - 20*50; n != 50 {
		t.Errorf("%d frames were encoded in 50 ticks", n)
	}
	for i, c := range listeners {
		if level := c.level(500); math.Abs(level-4000) > 400 {
			t.Errorf("listener %d hears %.0f", i, level)
		}
	}
}

// CD2: a listener whose codec has memory, who begins to speak, and ends, hears no seam: its
// own encoder goes on where the shared one was, and back in a pause of the speaker.
func TestListenerBecomesSpeaker(t *testing.T) {
	for _, c := range []codec.Codec{codec.G722(), codec.Opus(MaxRate)} {
		if c.Missing != nil {
			t.Logf("%s: %v", c.Name, c.Missing)
			continue
		}
		t.Run(c.Name, func(t *testing.T) { becomeSpeaker(t, c) })
	}
}

func becomeSpeaker(t *testing.T, c codec.Codec) {
	l := newLab(t, nil)
	l.registry = codec.NewRegistry(codec.PCMU(), c)
	speaker := l.join("PCMU", 500, talk)
	turning := l.join(c.Name, 0, Mode{Hears: true})
	listener := l.join(c.Name, 0, Mode{Hears: true})
	l.run(40)
	for i := range 60 {
		turning.port.SetMode(Mode{Hears: true, Speaks: i/3%2 == 0})
		speaker.freq = float64(i % 3 * 500) // and a pause
		turning.heard, listener.heard = nil, nil
		l.run(5)
		wrong := 0.0
		for j := range turning.heard {
			d := float64(turning.heard[j]) - float64(listener.heard[j])
			wrong += d * d
		}
		if db := 10*math.Log10(wrong/float64(len(turning.heard))+1e-9) - 90.3; db > -35 {
			t.Errorf("%d ms: %.1f dBFS are wrong", i*100, db)
		}
	}
}

// CD2: listeners with longer packets share, too, each group with its own beginning.
func TestLongPacketsAreShared(t *testing.T) {
	var frames atomic.Int64
	l := newLab(t, nil)
	l.registry = codec.NewRegistry(codec.PCMU(), countedG722(&frames))
	l.join("PCMU", 500, talk)
	for i := range 6 {
		c := l.join("G722", 0, Mode{Hears: true})
		m := c.port.Media().Agreed()
		m.PacketTime = 40 * time.Millisecond
		if err := c.port.Media().Apply(m, 0); err != nil {
			t.Fatal(err)
		}
		if i == 2 { // the others begin in the middle of a packet of the first three
			l.tick()
		}
	}
	for range 20 {
		l.tick()
	}
	before := frames.Load()
	for range 50 {
		l.tick()
	}
	if n := frames.Load() - before; n != 100 {
		t.Errorf("%d frames were encoded in 50 ticks for two groups", n)
	}
	var sent []uint64
	for _, c := range l.callers[1:] {
		sent = append(sent, c.port.Media().Stats().Sent)
	}
	for _, n := range sent {
		if want := uint64(70 / 2); n < want || n > want+1 {
			t.Errorf("listeners were sent %v packets", sent)
			break
		}
	}
}
