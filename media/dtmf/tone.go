package dtmf

import (
	"fmt"
	"math"
	"time"
)

// The frequencies of ITU-T Q.23, in Hz. A key is one of each.
var (
	lowTones  = [4]float64{697, 770, 852, 941}
	highTones = [4]float64{1209, 1336, 1477, 1633}
)

// keypad gives the key at each pair.
var keypad = [4][4]Digit{
	{'1', '2', '3', 'A'},
	{'4', '5', '6', 'B'},
	{'7', '8', '9', 'C'},
	{'*', '0', '#', 'D'},
}

// overload is the power in dBm0 of a sine that just fills G.711's A-law; µ-law's
// is 3.17.
const overload = 3.14

// amplitude is the peak value of a sine of a power in dBm0, in 16-bit PCM.
func amplitude(level float64) float64 { return 32768 * math.Pow(10, (level-overload)/20) }

// Generate makes the tone of a key: PCM at rate Hz, lasting dur, each of its two
// frequencies with level dBm0. Together they fill the scale at about -3.
func Generate(d Digit, rate int, dur time.Duration, level float64) ([]int16, error) {
	low, high, ok := d.tones()
	if !ok {
		return nil, fmt.Errorf("dtmf: %q is not a key, use one of %s", byte(d), keys)
	}
	if rate < 4000 || rate > 192000 || dur < 0 || dur > time.Minute {
		return nil, fmt.Errorf("dtmf: a tone of %v at %d Hz: at most 1m, 4000..192000 Hz", dur, rate)
	}
	pcm := make([]int16, int(int64(dur)*int64(rate)/int64(time.Second)))
	a := amplitude(level)
	for i := range pcm {
		at := 2 * math.Pi * float64(i) / float64(rate)
		v := math.Round(a * (math.Sin(at*low) + math.Sin(at*high)))
		pcm[i] = int16(max(-32768, min(v, 32767)))
	}
	return pcm, nil
}

// tones are the key's two frequencies.
func (d Digit) tones() (low, high float64, ok bool) {
	for i, row := range keypad {
		for j, key := range row {
			if key == d {
				return lowTones[i], highTones[j], true
			}
		}
	}
	return 0, 0, false
}
