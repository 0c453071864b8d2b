package quality

import (
	"math/rand/v2"
	"testing"
	"time"
)

const packet = 20 * time.Millisecond

// pattern counts a text: 1 is heard, 0 lost, L late.
func pattern(parts ...string) *Losses {
	var l Losses
	for _, text := range parts {
		for _, c := range text {
			switch c {
			case '0':
				l.Lost()
			case 'L':
				l.Late()
			default:
				l.Heard()
			}
		}
	}
	return &l
}

const gap = "1111111111111111" // just enough to end a burst

// CF14, RFC 3611 section 4.7.2: what is a burst and what a gap.
func TestBurstsAndGaps(t *testing.T) {
	for _, c := range []struct {
		name string
		l    *Losses
		want Bursts
	}{
		{"nothing", pattern(), Bursts{}},
		{"all heard", pattern(gap, gap), Bursts{Gap: 32 * packet}},
		{"one alone", pattern(gap, "0", gap), Bursts{Gap: 33 * packet, GapDensity: 1.0 / 33}},
		{"two alone", pattern(gap, "0", gap, "L", gap), Bursts{Gap: 50 * packet, GapDensity: 2.0 / 50}},
		{"two in a row", pattern(gap, "00", gap), Bursts{Burst: 2 * packet, BurstDensity: 1, Gap: 32 * packet}},
		{"lost and late make one burst", pattern(gap, "0L", gap), Bursts{Burst: 2 * packet, BurstDensity: 1, Gap: 32 * packet}},
		{"15 heard do not end it", pattern(gap, "0", gap[1:], "0", gap), Bursts{Burst: 17 * packet, BurstDensity: 2.0 / 17, Gap: 32 * packet}},
		{"16 do", pattern("0", gap, "0"), Bursts{Gap: 18 * packet, GapDensity: 2.0 / 18}},
		{"two bursts", pattern(gap, "0101", gap, "00", gap), Bursts{Burst: 5 * packet / 2, BurstDensity: 4.0 / 5, Gap: 49 * packet / 2}},
		{"nothing but losses", pattern("000"), Bursts{Burst: 3 * packet, BurstDensity: 1}},
	} {
		if got := c.l.Bursts(packet); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// CF14: counts of an interval, and the ratio of bursts of G.107.
func TestCounts(t *testing.T) {
	l := pattern(gap, "00", gap)
	before := l.Counts()
	for range 4 {
		l.Heard()
		l.Late()
	}
	part := l.Counts().Since(before)
	if part != (Counts{Heard: 4, Late: 4, Strings: 4}) || part.Share() != 0.5 || part.BurstRatio() != 1 || part.Total() != 8 {
		t.Errorf("%+v", part)
	}
	if c := (Counts{Heard: 90, Lost: 10, Strings: 2}); c.BurstRatio() != 4.5 {
		t.Error(c.BurstRatio()) // 5 in a row, where chance would give 1/0.9
	}
	if c := (Counts{}); c.Share() != 0 || c.BurstRatio() != 1 {
		t.Error("of nothing")
	}
}

// CF14: losses by chance have a burst ratio of 1, and all packets are in a burst or a gap.
func TestChance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var l Losses
	for range 200_000 {
		if r.Float64() < 0.1 {
			l.Lost()
		} else {
			l.Heard()
		}
	}
	if ratio := l.Counts().BurstRatio(); ratio < 0.97 || ratio > 1.03 {
		t.Errorf("burst ratio %.3f", ratio)
	}
	b := l.Bursts(packet)
	if whole := time.Duration(l.number) * (b.Burst + b.Gap); whole > 200_000*packet || whole < 199_000*packet {
		t.Errorf("%+v: %s of %s", b, whole, 200_000*packet)
	}
}

// CF14: a meter keeps the last, the mean by length, and the worst.
func TestMeter(t *testing.T) {
	var m Meter
	if f := m.Figures(); f != (Figures{}) {
		t.Errorf("of nothing: %+v", f)
	}
	pcmu := CodecNamed("PCMU", 8000)
	sample := func(loss float64, length time.Duration) Sample {
		return Sample{Path: Path{Codec: pcmu, Loss: loss}, Jitter: time.Millisecond, Length: length}
	}
	m.Add(sample(0, 15*time.Second))
	m.Add(sample(0.2, 5*time.Second))
	m.Add(sample(1, 0)) // nothing was sent
	f := m.Figures()
	clean, bad := Path{Codec: pcmu}.Rate().MOS, Path{Codec: pcmu, Loss: 0.2}.Rate().MOS
	near(t, "mean MOS", f.MeanMOS, (3*clean+bad)/4, 1e-9)
	near(t, "mean loss", f.MeanLoss, 0.05, 1e-9)
	if f.Rated != 20*time.Second || f.MOS != bad || f.WorstMOS != bad || f.Loss != 0.2 || f.Jitter != time.Millisecond || f.BurstRatio != 1 {
		t.Errorf("%+v", f)
	}
	m.Add(sample(0, 5*time.Second))
	if f := m.Figures(); f.MOS != clean || f.WorstMOS != bad || f.Loss != 0 {
		t.Errorf("after it came back: %+v", f)
	}
}
