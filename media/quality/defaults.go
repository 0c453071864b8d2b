package quality

import (
	"math"
	"time"
)

// Defaults of ITU-T G.107 Table 2, for all that a network does not tell. Loudness and
// levels are in dB, dBm0p and dB(A).
const (
	sendLoudness     = 8.0  // SLR
	receiveLoudness  = 2.0  // RLR
	sidetone         = 15.0 // STMR
	listenerSidetone = 18.0 // LSTR
	sendD            = 3.0  // Ds
	talkerEcho       = 65.0 // TELR
	echoPathLoss     = 110.0
	quantization     = 1.0   // qdu
	circuitNoise     = -70.0 // Nc
	noiseFloor       = -64.0 // Nfor
	roomNoiseSend    = 35.0  // Ps
	roomNoiseReceive = 35.0  // Pr
)

// narrow is the narrowband model with these values, which do not change.
var narrow = newNarrowband()

// narrowband is what of G.107 is the same for all calls.
type narrowband struct {
	noise        float64 // No: all noise, at the 0 dBr point
	noiseRatio   float64 // Ro
	simultaneous float64 // Is
}

func newNarrowband() narrowband {
	n := narrowband{noise: noise()}
	n.noiseRatio = 15 - 1.5*(sendLoudness+n.noise)
	n.simultaneous = n.loudness() + sidetoneImpairment() + n.quantizing()
	return n
}

// noise is the power sum of the circuit's noise, that of both rooms, and the floor
// (section 7.2).
func noise() float64 {
	loudness := sendLoudness + receiveLoudness // OLR
	sent := roomNoiseSend - sendLoudness - sendD - 100 + 0.004*square(roomNoiseSend-loudness-sendD-14)
	heard := roomNoiseReceive + decibels(1+power(10-listenerSidetone)) // Pre
	received := receiveLoudness - 121 + heard + 0.008*square(heard-35)
	return decibels(power(circuitNoise) + power(sent) + power(received) + power(noiseFloor+receiveLoudness))
}

// loudness is Iolr: a connection that is too loud (section 7.3.1).
func (n narrowband) loudness() float64 {
	x := (sendLoudness + receiveLoudness + 0.2*(64+n.noise-receiveLoudness)) / 8
	return 20 * (math.Pow(1+math.Pow(x, 8), 1.0/8) - x)
}

// sidetoneImpairment is Ist (section 7.3.2), without delay: echo that comes late is in
// what delay costs.
func sidetoneImpairment() float64 {
	s := -decibels(power(-sidetone) + power(-talkerEcho)) // STMRo
	root := func(x, n float64) float64 { return math.Pow(1+math.Pow(x, n), 1/n) }
	return 12*root((s-13)/6, 8) - 28*root((s+1)/19.4, 35) - 13*root((s-3)/33, 13) + 29
}

// quantizing is Iq (section 7.3.3).
func (n narrowband) quantizing() float64 {
	q := 37 - 15*math.Log10(quantization)
	g := 1.07 + 0.258*q + 0.0602*q*q
	y, z := (n.noiseRatio-100)/15+46/8.4-g/9, 46.0/30-g/40
	return 15 * math.Log10(1+math.Pow(10, y)+math.Pow(10, z))
}

// delayed is Id (section 7.4): echo to the talker and to the listener, and delay itself.
// The mean one-way delay of the echo path is the delay itself, and the round trip of the
// four-wire loop twice that, as the Recommendation's defaults relate them.
func (n narrowband) delayed(d time.Duration) float64 {
	ms := float64(d) / float64(time.Millisecond)
	talker := talkerImpairment(-1.5*(n.noise-receiveLoudness), 80+2.5*(echoLoudness(ms)-14), ms)
	listener := 10.5 * (echoPathLoss + 7) * math.Pow(2*ms+1, -0.25) // Rle
	half := (n.noiseRatio - listener) / 2
	return talker + half + math.Sqrt(half*half+169) + pureDelay(d)
}

// echoLoudness is TERV: how loud the echo of the talker's own voice seems, after ms.
func echoLoudness(ms float64) float64 {
	return talkerEcho - 40*math.Log10((1+ms/10)/(1+ms/150)) + 6*math.Exp(-0.3*ms*ms)
}

// talkerImpairment is Idte, of the rating without echo and that with it.
func talkerImpairment(without, with, ms float64) float64 {
	half := (without - with) / 2
	return (half + math.Sqrt(half*half+100) - 1) * (1 - math.Exp(-ms))
}

// The wideband model (G.107.1): its scale goes to 129, and noise and loudness cost
// nothing at their defaults.
const (
	wideNoiseRatio = 129.0 // Ro,WB
	wideScale      = 1.29  // of R, for a MOS (Annex A)
)

// wideDelayed is Id,WB (section 7.4). Echo to the listener is left out: at its default it
// costs less than 0.3.
func wideDelayed(d time.Duration) float64 {
	ms := float64(d) / float64(time.Millisecond)
	echo := echoLoudness(ms) + min(0.08*ms+10, 18) // TERV,WB: of a wider band more is masked
	return talkerImpairment(wideNoiseRatio, 80+3*(echo-14), ms) + pureDelay(d)
}

func square(x float64) float64 { return x * x }

// power is a level in dB as a ratio of powers, and decibels the other way round.
func power(db float64) float64 { return math.Pow(10, db/10) }

func decibels(ratio float64) float64 { return 10 * math.Log10(ratio) }
