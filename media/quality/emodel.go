package quality

import (
	"math"
	"time"
)

// Path is one direction of a call, from a mouth to an ear.
type Path struct {
	Codec Codec
	// Loss is the share of packets that were not heard, 0 to 1: lost, or too late.
	Loss float64
	// BurstRatio is how long losses in a row are, as a multiple of what they would be if
	// each packet were lost by chance: 1 to 8. Less than 1 counts as 1.
	BurstRatio float64
	// Delay is the time from mouth to ear. The model knows up to 500 ms; more is not
	// rated worse without bound, for the curve flattens.
	Delay time.Duration
}

// Rating is what the E-model says of a path.
type Rating struct {
	R            float64 // 0 to 100; a wideband rating is divided by 1.29, as G.107.1 Annex A does
	MOS          float64 // in conversation, 1 to 4.5: with what delay does to it
	ListeningMOS float64 // to a listener only
}

// Rate rates a path.
func (p Path) Rate() Rating {
	equipment, delay := p.equipment(), narrow.delayed
	clean, scale := narrow.noiseRatio-narrow.simultaneous, 1.0
	if p.Codec.Wideband {
		clean, scale, delay = wideNoiseRatio, wideScale, wideDelayed
	}
	r := (clean - delay(max(p.Delay, 0)) - equipment) / scale
	// A listener has neither the delay nor the echo that comes with it.
	listening := (clean - delay(0) - equipment) / scale
	return Rating{R: min(max(r, 0), 100), MOS: MOS(r), ListeningMOS: MOS(listening)}
}

// MOS is the mean opinion score of a narrowband R (G.107 Annex B).
func MOS(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6) // the polynomial dips below 1 for R < 6.5
}

// maxBurstRatio is the most that G.107 Table 3 permits.
const maxBurstRatio = 8

// equipment is Ie,eff, what codec and loss cost (G.107 section 7.5; G.107.1 section 7.5).
func (p Path) equipment() float64 {
	percent := 100 * min(max(p.Loss, 0), 1)
	if percent == 0 {
		return p.Codec.Ie
	}
	burst := min(max(p.BurstRatio, 1), maxBurstRatio)
	return p.Codec.Ie + (95-p.Codec.Ie)*percent/(percent/burst+p.Codec.Bpl)
}

// pureDelay is Idd: what it costs that the other answers late, though there is no echo
// (G.107 section 7.4, with the default sensitivity).
func pureDelay(d time.Duration) float64 {
	ms := float64(d) / float64(time.Millisecond)
	if ms <= 100 {
		return 0
	}
	x := math.Log2(ms / 100)
	root := func(v float64) float64 { return math.Pow(1+math.Pow(v, 6), 1.0/6) }
	return 25 * (root(x) - 3*root(x/3) + 2)
}
