package dtmf

import "math"

// The limits, within the ranges that ITU-T Q.24 lists for the administrations.
// Powers are ratios, not dB, to save logarithms.
const (
	minLevel       = -36.0 // dBm0 of the weaker frequency; Q.24 wants -25 or so, VoIP gateways are off by some dB
	maxForward     = 5.0   // 7 dB: the high frequency above the low one
	maxReverse     = 12.5  // 11 dB: the low one above the high one, as lines do
	minShare       = 0.68  // of the block's energy that the two frequencies have; a tone must fill some 7 of its 10 ms
	minLead        = 2.5   // 4 dB by which the best frequency leads the others of its group
	maxHarmonic    = 0.3   // -5 dB: the second harmonic of either against it; voices have strong ones
	maxDeviation   = 0.025 // of the frequency: between the 1.5 % that must be taken and the 3.5 % that must not
	maxChange      = 4.0   // 6 dB from one block to the next
	suspectBlocks  = 2     // blocks of one key that make a suspicion
	acceptedBlocks = 3     // blocks of one key that make a digit
	pauseBlocks    = 3     // blocks without it that end it: 40 ms pause has three; a break of 10 ms spoils two
)

// Detector finds keys in 8 kHz audio. A digit is reported some 30 to 40 ms after
// its tone began, once, however long the tone is.
type Detector struct {
	low, high     [4]resonator
	lowHarmonics  [4]resonator
	highHarmonics [4]resonator
	floor         float64 // power of minLevel

	block  [blockSize]float64
	filled int

	last    finding // of the block before
	run     int     // blocks in a row that go on with last.digit
	digit   Digit   // being held down: reported, and not yet followed by a pause
	missing int     // blocks in a row without digit
	tail    bool    // the block is the first without a tone that had been suspected
}

// finding is a block that holds the two frequencies of a key.
type finding struct {
	digit     Digit // 0: it does not
	row, col  int
	low, high phasor
}

// NewDetector makes a detector for one stream.
func NewDetector() *Detector {
	d := &Detector{floor: amplitude(minLevel) * amplitude(minLevel) / 2}
	for i := range 4 {
		d.low[i], d.high[i] = newResonator(lowTones[i]), newResonator(highTones[i])
		d.lowHarmonics[i], d.highHarmonics[i] = newResonator(2*lowTones[i]), newResonator(2*highTones[i])
	}
	return d
}

// Process listens to the next frame, 20 ms of 8 kHz audio. ok says that digit was
// recognized in this frame. Any other length is taken too, but of more than one
// digit in 50 ms or longer only the last is told.
func (d *Detector) Process(pcm []int16) (digit Digit, ok bool) {
	for _, s := range pcm {
		d.block[d.filled] = float64(s)
		d.filled++
		if d.filled == blockSize {
			d.filled = 0
			if found := d.step(); found != 0 {
				digit, ok = found, true
			}
		}
	}
	return digit, ok
}

// Suspect says whether the last whole 10 ms of the audio belong to a tone, one
// that is perhaps not yet long enough to be a digit, or has just ended. Who
// blanks by this alone lets up to 30 ms of the beginning pass; [Filter] does not.
func (d *Detector) Suspect() bool {
	return d.run >= suspectBlocks || (d.run > 0 && d.last.digit == d.digit) || d.tail
}

// step judges a whole block and returns the digit that it completes, or 0.
func (d *Detector) step() Digit {
	before := d.Suspect() && !d.tail
	f := d.find()
	switch {
	case f.digit == 0:
		d.run = 0
	case d.run > 0 && d.goesOn(f):
		d.run++
	default:
		d.run = 1
	}
	d.last = f
	d.tail = false
	d.tail = before && !d.Suspect()

	if f.digit != 0 && f.digit == d.digit {
		d.missing = 0
		return 0
	}
	if d.missing++; d.missing >= pauseBlocks {
		d.digit = 0
	}
	if d.run < acceptedBlocks {
		return 0
	}
	d.digit, d.missing = f.digit, 0
	return f.digit
}

// find looks for a key in the block.
func (d *Detector) find() finding {
	total := 0.0
	for _, x := range d.block {
		total += x * x
	}
	total /= blockSize
	if total < 2*d.floor {
		return finding{}
	}
	var low, high [4]phasor
	for i := range 4 {
		low[i], high[i] = d.low[i].measure(&d.block), d.high[i].measure(&d.block)
	}
	row, lowPower := strongest(&low)
	col, highPower := strongest(&high)
	if row < 0 || col < 0 || min(lowPower, highPower) < d.floor ||
		highPower > maxForward*lowPower || lowPower > maxReverse*highPower ||
		lowPower+highPower < minShare*total {
		return finding{}
	}
	if d.voiced(row, col, lowPower, highPower) {
		return finding{}
	}
	return finding{digit: keypad[row][col], row: row, col: col, low: low[row], high: high[col]}
}

// voiced says whether either frequency comes with its second harmonic, as in a
// voice, which is what else has two strong frequencies. Where the low one's
// harmonic cannot be told from the high frequency itself, it is not looked at.
func (d *Detector) voiced(row, col int, lowPower, highPower float64) bool {
	h := d.lowHarmonics[row]
	if math.Abs(h.frequency-d.high[col].frequency) > sampleRate/blockSize &&
		h.measure(&d.block).power() > maxHarmonic*(lowPower+highPower) {
		return true
	}
	return d.highHarmonics[col].measure(&d.block).power() > maxHarmonic*highPower
}

// strongest gives the frequency of a group that leads the others clearly, or -1.
func strongest(group *[4]phasor) (best int, power float64) {
	second := 0.0
	for i, p := range group {
		switch v := p.power(); {
		case v > power:
			best, power, second = i, v, power
		case v > second:
			second = v
		}
	}
	if power < minLead*second || power == 0 {
		return -1, 0
	}
	return best, power
}

// goesOn says whether f is the same tone as that of the block before: the same
// key, as loud, and of the right frequencies as the advance of their phases shows.
func (d *Detector) goesOn(f finding) bool {
	return f.digit == d.last.digit &&
		steady(d.low[f.row], d.last.low, f.low) && steady(d.high[f.col], d.last.high, f.high)
}

func steady(r resonator, before, after phasor) bool {
	a, b := before.power(), after.power()
	return a < maxChange*b && b < maxChange*a &&
		math.Abs(r.deviation(before, after)) <= maxDeviation*r.frequency
}
