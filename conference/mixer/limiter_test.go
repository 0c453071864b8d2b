package mixer

import (
	"math"
	"testing"
)

// distortion is what is left of a signal without some frequencies, in dB of the signal.
func distortion(pcm []int16, rate int, frequencies ...float64) float64 {
	rest := make([]float64, len(pcm))
	var all, left float64
	for i, v := range pcm {
		rest[i] = float64(v)
		all += rest[i] * rest[i]
	}
	for _, f := range frequencies {
		var re, im float64
		for i, v := range pcm {
			at := 2 * math.Pi * f * float64(i) / float64(rate)
			re += float64(v) * math.Cos(at)
			im += float64(v) * math.Sin(at)
		}
		for i := range rest {
			at := 2 * math.Pi * f * float64(i) / float64(rate)
			rest[i] -= 2 / float64(len(pcm)) * (re*math.Cos(at) + im*math.Sin(at))
		}
	}
	for _, v := range rest {
		left += v * v
	}
	return 10 * math.Log10(left/all)
}

func highest(pcm []int16) int {
	most := 0
	for _, v := range pcm {
		most = max(most, int(v), -int(v))
	}
	return most
}

// SPEC CF13: four loud speakers at once are turned down, not cut off: no sample comes near
// full scale, and nothing is heard but the four. Cut off, they would be distorted by some
// -13 dB. Each of them hears the others at the gain that all hear.
func TestFourLoudSpeakers(t *testing.T) {
	l := newLabOf(t, Config{})
	frequencies := []float64{350, 650, 1150, 1850}
	for _, f := range frequencies {
		l.join("PCMU", f, talk).loud = 24_000
	}
	listener := l.join("PCMU", 0, Mode{Hears: true})
	wide := l.join("G722", 0, Mode{Hears: true})
	l.run(3)
	l.settle()
	l.run(100)
	if most := highest(listener.heard); most > 27_200 { // G.711 rounds
		t.Errorf("the loudest sample is %d", most)
	}
	if d := distortion(listener.heard, 8000, frequencies...); d > -28 { // G.711 alone has some -36
		t.Errorf("distortion of %.1f dB", d)
	}
	if d := distortion(wide.heard, 16000, frequencies...); d > -25 {
		t.Errorf("wideband: distortion of %.1f dB", d)
	}
	all := listener.level(1150)
	if level := l.callers[0].level(1150); math.Abs(level-all) > 0.03*all {
		t.Errorf("a speaker hears another one at %.0f, a listener at %.0f", level, all)
	}
	if own := l.callers[0].level(350); own > 100 {
		t.Errorf("a speaker hears itself at %.0f", own)
	}
}

// CF13: a burst that begins in the middle of a frame is turned down from its first sample
// on, by a gain that has no step, and the gain comes back within half a second.
func TestLimiter(t *testing.T) {
	const rate = 8000
	var l limiter
	var out []int16
	last := unity
	for frame := range 60 {
		pcm := make([]int32, 160)
		for i := range pcm {
			n := frame*160 + i
			loud := 3000.0
			if n > 5*160+70 && n < 20*160 {
				loud = 100_000
			}
			pcm[i] = int32(loud * math.Sin(2*math.Pi*440*float64(n)/rate))
		}
		r := l.limit(pcm, rate)
		for i := range pcm {
			if step := last - r.at(i); step > unity/rate*quickest || step < -unity/80 {
				t.Fatalf("frame %d, sample %d: the gain goes from %d to %d", frame, i, last, r.at(i))
			}
			last = r.at(i)
		}
		frame := make([]int16, 160)
		r.write(frame, pcm)
		out = append(out, frame...)
	}
	if most := highest(out); most > 30_500 || most < 25_000 {
		t.Errorf("the loudest sample is %d", most)
	}
	if d := distortion(out[6*160:20*160], rate, 440); d > -50 {
		t.Errorf("distortion of %.1f dB", d)
	}
	if last != unity {
		t.Errorf("the gain is still %.2f", float64(last)/unity)
	}
}

// knee never reaches full scale, never goes back, and has no corner.
func TestKnee(t *testing.T) {
	last := knee(-10_000_000)
	for v := int32(-2_000_000); v < 2_000_000; v += 7 {
		now := knee(v)
		if now < last || now == math.MaxInt16 || now == math.MinInt16 || int(now)-int(last) > 9 && v > -1_999_000 {
			t.Fatalf("%d becomes %d after %d", v, now, last)
		}
		last = now
	}
}
