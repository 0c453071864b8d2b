package quality

import (
	"math"
	"testing"
	"time"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.3f, want %.3f", what, got, want)
	}
}

// CF14: with every default the model gives what ITU-T G.107 says it does.
func TestDefaultConnection(t *testing.T) {
	near(t, "Ro", narrow.noiseRatio, 94.77, 0.005)
	near(t, "Is", narrow.simultaneous, 1.41, 0.005)
	got := Path{Codec: CodecNamed("PCMU", 8000)}.Rate()
	near(t, "R", got.R, 93.2, 0.05)
	near(t, "MOS", got.MOS, 4.41, 0.005)
	near(t, "listening MOS", got.ListeningMOS, 4.41, 0.005)
}

// CF14: G.107 Table B.1, the lower limits of its categories.
func TestMOSOfR(t *testing.T) {
	for r, mos := range map[float64]float64{93.2: 4.41, 90: 4.34, 80: 4.03, 70: 3.60, 60: 3.10, 50: 2.58, 0: 1, -5: 1, 5: 1, 100: 4.5, 120: 4.5} {
		near(t, "MOS", MOS(r), mos, 0.0075)
	}
	for r := 0.0; r < 100; r += 0.25 {
		if MOS(r+0.25) < MOS(r) {
			t.Errorf("MOS falls at R %.2f", r)
		}
	}
}

// CF14: what delay costs. The published figures are those of the well-known straight lines
// that were fitted to G.107 for planning: 0.024 a millisecond, and 0.11 more above 177.3.
func TestDelay(t *testing.T) {
	for _, ms := range []float64{0, 20, 50, 100, 150, 200, 250, 300} {
		fitted := 93.2 - 0.024*ms - 0.11*max(0, ms-177.3)
		got := Path{Codec: CodecNamed("PCMA", 8000), Delay: time.Duration(ms) * time.Millisecond}.Rate().R
		near(t, "R", got, fitted, 0.9)
	}
	near(t, "Idd at 100 ms", pureDelay(100*time.Millisecond), 0, 1e-9)
	near(t, "Idd at 400 ms", pureDelay(400*time.Millisecond), 24.07, 0.01) // x is 2
	last := 100.0
	for d := time.Duration(0); d < 3*time.Second; d += 20 * time.Millisecond {
		for _, name := range []string{"PCMU", "G722"} {
			p := Path{Codec: CodecNamed(name, 8000), Delay: d}
			if r := p.Rate(); math.IsNaN(r.R) || r.ListeningMOS < r.MOS {
				t.Fatalf("%s after %s: %+v", name, d, r)
			}
		}
		r := Path{Codec: CodecNamed("PCMU", 8000), Delay: d}.Rate().R
		if r > last {
			t.Fatalf("R grows at %s", d)
		}
		last = r
	}
}

// CF14: Ie,eff by G.107 equation 7-29 with the values of G.113 Appendix I.
func TestCodecsAndLoss(t *testing.T) {
	for _, c := range []struct {
		codec       string
		loss, burst float64
		r           float64
	}{
		{"PCMU", 0, 1, 93.2},
		{"pcma", 0.01, 1, 93.2 - 95*1/(1+25.1)},
		{"PCMA", 0.05, 1, 93.2 - 95*5/(5+25.1)},
		{"PCMA", 0.05, 2, 93.2 - 95*5/(2.5+25.1)}, // bursts are worse
		{"PCMA", 0.05, 0, 93.2 - 95*5/(5+25.1)},   // not known is random
		{"PCMA", 0.05, 100, 93.2 - 95*5/(5.0/8+25.1)},
		{"G729", 0, 1, 82.2},
		{"G729", 0.02, 1, 93.2 - 11 - 84*2/(2+19.0)},
		{"G723", 0, 1, 78.2},
		{"G726-32", 0, 1, 86.2},
		{"GSM", 0, 1, 73.2},
		{"PCMU", 1, 1, 93.2 - 95*100/(125.1)},
		{"something", 0, 1, 83.2},
		{"G722", 0, 1, (129 - 13) / 1.29},
		{"G722", 0.05, 1, (129 - 13 - 82*5/(5+25.1)) / 1.29},
	} {
		got := Path{Codec: CodecNamed(c.codec, 8000), Loss: c.loss, BurstRatio: c.burst}.Rate()
		near(t, c.codec, got.R, c.r, 0.05)
	}
	if !CodecNamed("opus", 48000).Wideband || CodecNamed("opus", 8000).Wideband || !CodecNamed("speex", 16000).Wideband || CodecNamed("AAL2-G726-24", 8000).Ie != 25 {
		t.Error("a codec is taken for another")
	}
	if !CodecNamed("opus", 8000).Assumed || CodecNamed("PCMA", 8000).Assumed || CodecNamed("G729", 8000).Assumed {
		t.Error("what is assumed is not said")
	}
}

// CF14: the worst there is, is rated too.
func TestExtremes(t *testing.T) {
	for name := range codecs {
		for _, p := range []Path{{Loss: 1, Delay: time.Hour, BurstRatio: math.Inf(1)}, {Loss: 2, Delay: -time.Second}, {Loss: -1}} {
			p.Codec = CodecNamed(name, 8000)
			if r := p.Rate(); !(r.R >= 0 && r.R <= 100 && r.MOS >= 1 && r.MOS <= 4.5) {
				t.Errorf("%s, %+v: %+v", name, p, r)
			}
		}
	}
}

func BenchmarkRate(b *testing.B) {
	b.ReportAllocs()
	p := Path{Codec: CodecNamed("PCMU", 8000), Loss: 0.03, BurstRatio: 1.4, Delay: 180 * time.Millisecond}
	for b.Loop() {
		p.Rate()
	}
}
