package voice

import "math"

const (
	target    = -20  // dBFS of active speech
	most      = 15   // dB of gain
	leastGain = -6   // dB
	within    = 3    // dB off the target that are left alone
	noiseMost = -50  // dBFS: no line's noise is brought above this
	margin    = 16   // dB under the speech level that still count as speech (ITU-T P.56: 15.9)
	overNoise = 6    // dB above the noise that count as speech
	memory    = 75   // frames, 1.5 s of speech, that the speech level is the mean of
	first     = 10   // frames before the gain moves
	rise      = 0.06 // dB in a frame: 3 dB/s
	fall      = 0.2  // dB in a frame: 10 dB/s
)

// Gain brings one speaker to the loudness of others. The zero value is ready, and is
// unity until it knows the speaker. It does not allocate.
type Gain struct {
	power  float32 // mean square of the speech
	frames int     // of speech, up to memory
	db     float32
	factor float32 // of db; 0: of none
}

// Next takes what a frame is and the line's noise in dBFS, and gives the factor for the
// frame, from 0.5 to 5.6.
func (g *Gain) Next(a Activity, noise float32) float32 {
	if a.Sound && a.Voice && a.Level > noise+overNoise {
		g.hear(a.Level)
		g.move(noise)
	}
	if g.factor == 0 {
		return 1
	}
	return g.factor
}

// Decibels is the gain now, -6 to +15.
func (g *Gain) Decibels() float32 { return g.db }

// hear takes the level of a frame of speech.
func (g *Gain) hear(level float32) {
	if g.frames > 0 && level < levelOf(g.power)-margin {
		// A pause, or another and softer speaker: the mean gives way, so that it does not
		// hold on to what was loud once.
		g.power *= 1 - 0.2/memory
		return
	}
	power := float32(math.Pow(10, float64(level+fullScale)/10))
	g.frames = min(g.frames+1, memory)
	g.power += (power - g.power) / float32(g.frames)
}

// move brings the gain a step nearer to what it should be.
func (g *Gain) move(noise float32) {
	if g.frames < first {
		return
	}
	off := target - (levelOf(g.power) + g.db)
	switch {
	case off > within:
		g.db += min(off-within, rise)
	case off < -within:
		g.db -= min(-off-within, fall)
	}
	g.db = min(g.db, most, max(0, noiseMost-noise))
	g.db = max(g.db, leastGain)
	g.factor = float32(math.Pow(10, float64(g.db)/20))
}
