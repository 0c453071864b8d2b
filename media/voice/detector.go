package voice

import "fmt"

const (
	plain      = 12  // dB above the noise that are sound, whatever it is
	doubtful   = 4   // dB above the noise that are sound if it has a pitch
	inaudible  = -58 // dBFS: less is no sound
	onset      = 3   // of the last frames that must be sound for voice to begin
	onsetOf    = 5
	hangover   = 25 // frames, 0.5 s, for which voice outlasts its last sound
	onsetFrame = 1<<onsetOf - 1
)

// Activity is what one frame of a line is.
type Activity struct {
	Sound bool // it is clearly more than the line's noise
	// Voice: there has been sound for 60 ms, no click or rest of a key, and there was
	// until half a second ago.
	Voice bool
	Level float32 // dBFS, without what is below 200 Hz
}

// Detector listens to one line. It does not allocate.
type Detector struct {
	analysis analysis
	floor    floor
	recent   uint8 // the last frames, latest lowest: 1 for sound
	left     int   // frames until voice ends
}

// NewDetector makes one for audio at a rate of 8, 16, 24, 32 or 48 kHz.
func NewDetector(rate int) (*Detector, error) {
	if rate < 8000 || rate > 48000 || rate%8000 != 0 {
		return nil, fmt.Errorf("detect voice: %d Hz is not a multiple of 8000 up to 48000", rate)
	}
	return &Detector{analysis: analysis{each: rate / 8000, pass: newHighPass()}, floor: newFloor()}, nil
}

// Process takes 20 ms. A frame of another length counts as Silence.
func (d *Detector) Process(pcm []int16) Activity {
	if len(pcm) != frame*d.analysis.each {
		return d.Silence()
	}
	level, hum := d.analysis.take(pcm)
	above := level - d.floor.level
	pitched := above > doubtful && !hum && d.analysis.pitched()
	if !pitched {
		d.floor.learn(level)
	}
	sound := level > inaudible && !hum && (above > plain || pitched)
	return Activity{Sound: sound, Voice: d.goesOn(sound), Level: level}
}

// Silence takes 20 ms in which the line sent nothing. Nothing is learned of its noise.
func (d *Detector) Silence() Activity {
	return Activity{Voice: d.goesOn(false), Level: Least}
}

// Noise is the level of the line's noise as it is known so far, in dBFS, -73 to -23.
func (d *Detector) Noise() float32 { return d.floor.level + bias }

// goesOn says whether there is voice.
func (d *Detector) goesOn(sound bool) bool {
	d.recent = d.recent << 1 & onsetFrame
	if sound {
		d.recent |= 1
	}
	sounds := 0
	for r := d.recent; r != 0; r &= r - 1 {
		sounds++
	}
	switch {
	case sound && (sounds >= onset || d.left > 0):
		d.left = hangover
	case d.left > 0:
		d.left--
	}
	return d.left > 0
}
