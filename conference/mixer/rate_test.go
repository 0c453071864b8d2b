package mixer

import (
	"math"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/codec/g711"
)

// fullband is the µ-law at 48 kHz: a codec as wide as any, without loss or memory.
func fullband() codec.Codec {
	law := g711.MuLaw()
	return codec.Codec{
		Format:     codec.Format{Name: "MULAW48", ClockRate: 48000, SampleRate: 48000, Channels: 1, PayloadType: 100},
		NewEncoder: func(codec.Format) (codec.Encoder, error) { return law, nil },
		NewDecoder: func(codec.Format) (codec.Decoder, error) { return law, nil },
		Stateless:  true,
	}
}

// click is the sharpest corner in a signal: the highest second difference, which for a
// tone of 400 Hz and an amplitude of 4000 at 8 kHz is 395, and some 300 more by G.711.
func click(pcm []int16) int {
	most := 0
	for i := 2; i < len(pcm); i++ {
		d := int(pcm[i]) - 2*int(pcm[i-1]) + int(pcm[i-2])
		most = max(most, d, -d)
	}
	return most
}

// SPEC CD2: the rate of a mix rises with the first wideband caller, and falls with the
// last, without a click, neither for those who have been there nor while somebody speaks.
func TestRateChangesWithoutClick(t *testing.T) {
	l := newLab(t, nil)
	l.registry = codec.NewRegistry(append(codec.Standard().Codecs(), fullband())...)
	l.join("PCMU", 400, talk)
	listener, second := l.join("PCMU", 0, Mode{Hears: true}), l.join("PCMA", 0, talk)
	l.settle()
	for _, guest := range []string{"G722", "MULAW48"} {
		for _, where := range []*caller{listener, second} {
			where.heard = nil
		}
		l.run(20)
		c := l.join(guest, 0, talk)
		l.run(70)
		if l.mixer.rate.now != c.format.SampleRate {
			t.Fatalf("with %s the mix has %d Hz", guest, l.mixer.rate.now)
		}
		l.mixer.Remove(c.port)
		l.callers = l.callers[:3]
		l.run(70)
		if l.mixer.rate.now != 8000 {
			t.Fatalf("when %s has gone the mix has %d Hz", guest, l.mixer.rate.now)
		}
		for name, c := range map[string]*caller{"a listener": listener, "another speaker": second} {
			if most := click(c.heard); most > 1200 {
				t.Errorf("%s, for %s: a corner of %d", guest, name, most)
			}
		}
	}
}

// CD2: narrow, wide and full band together: each hears the others as far as its own band
// goes.
func TestThreeBandsTogether(t *testing.T) {
	l := newLab(t, nil)
	l.registry = codec.NewRegistry(append(codec.Standard().Codecs(), fullband())...)
	full, full2 := l.join("MULAW48", 600, talk), l.join("MULAW48", 11_000, talk)
	wide, narrow := l.join("G722", 5000, talk), l.join("PCMU", 1200, talk)
	deaf := l.join("MULAW48", 0, Mode{Hears: true})
	l.settle()
	l.run(50)
	full.hears(t, "a fullband caller", l, 11_000, 5000, 1200)
	full2.hears(t, "the other fullband caller", l, 600, 5000, 1200)
	wide.hears(t, "a wideband caller", l, 600, 1200)
	narrow.hears(t, "a narrowband caller", l, 600)
	deaf.hears(t, "a listener", l, 600, 11_000, 5000, 1200)
}

// CF6, CD2: what is said to one caller alone goes on evenly while the rate of the mix
// changes around it.
func TestPromptWhileTheRateChanges(t *testing.T) {
	l := newLab(t, nil)
	a := l.join("PCMU", 0, talk)
	l.settle()
	a.port.Play(0, newTone(400, 3*time.Second))
	l.run(5)
	a.heard = nil
	l.join("G722", 700, talk)
	l.run(100)
	if most := click(a.heard); most > 1200 {
		t.Errorf("a corner of %d", most)
	}
	if level := a.level(400); math.Abs(level-4000) > 400 {
		t.Errorf("heard at %.0f", level)
	}
}
