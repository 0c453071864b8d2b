package voice

const (
	windows      = 4   // of which the noise is the least level
	windowFrames = 16  // that count; four windows are 1.3 s
	enough       = 8   // frames of the first window that give a first idea of the noise
	unknown      = -60 // dBFS: what is assumed before
	quietest     = -75 // dBFS: no line is taken to be quieter
	loudest      = -25 // dBFS: nor to have more noise, for then nobody could be heard over it
	bias         = 2   // dB by which the least level of a noise is below its mean
	digital      = -80 // dBFS: less is a telephone that mutes, and says nothing of the line
)

// floor follows the noise of a line by the least of its latest levels.
type floor struct {
	past    [windows]float32
	full    int // windows of past that hold something
	next    int // the one that is written next
	least   float32
	counted int // frames of the window that goes on
	level   float32
}

func newFloor() floor { return floor{level: unknown} }

// learn takes the level of a frame that may be noise.
func (f *floor) learn(level float32) {
	if level < digital {
		return
	}
	if f.counted == 0 || level < f.least {
		f.least = level
	}
	if f.counted++; f.counted == windowFrames {
		f.past[f.next], f.counted = f.least, 0
		f.next, f.full = (f.next+1)%windows, min(f.full+1, windows)
	}
	least := float32(0)
	for _, past := range f.past[:f.full] {
		least = min(least, past)
	}
	if f.counted >= enough {
		least = min(least, f.least)
	}
	if least < 0 {
		f.level = min(max(least, quietest), loudest)
	}
}
