package voice

import "math"

const (
	frame     = 160 // samples of 20 ms at 8 kHz, the rate of the analysis
	slow      = frame / 2
	shortest  = 10 // samples at 4 kHz of the shortest pitch period, 400 Hz
	longest   = 64 // and of the longest, 62.5 Hz
	hasPitch  = 0.5
	corner    = 200.0 // Hz, of the high-pass that keeps mains hum out
	humFactor = 10    // by which hum is weaker without its low part, in power
)

// analysis is one line's audio, as the detector looks at it.
type analysis struct {
	each int // samples of the line for one of the analysis
	pass highPass
	past [slow + slow]float32 // 40 ms at 4 kHz; the second half is the present frame
}

// take looks at a frame. level is that above 200 Hz; hum says that nearly all of the
// frame's power is below.
func (a *analysis) take(pcm []int16) (level float32, hum bool) {
	copy(a.past[:slow], a.past[slow:])
	var all, whole, high float32
	scale := 1 / float32(a.each)
	for i := range slow {
		var both float32
		for j := range 2 {
			at := (2*i + j) * a.each
			var x float32
			for _, v := range pcm[at : at+a.each] {
				x += float32(v)
				all += float32(v) * float32(v)
			}
			x *= scale
			y := a.pass.next(x)
			whole += x * x
			high += y * y
			both += y
		}
		a.past[slow+i] = both / 2
	}
	// What is above 4 kHz is not in the analysis, but it is in the level.
	low := whole - high
	return levelOf(max(all*scale-low, high) / frame), high*humFactor < whole
}

// pitched says whether the present frame repeats itself, as voiced speech, tones and
// music do. A period is sought in steps of 0.25 ms; of shorter waves, several make one.
func (a *analysis) pitched() bool {
	now := a.past[slow:]
	var power float32
	for _, v := range now {
		power += v * v
	}
	if power == 0 {
		return false
	}
	for lag := shortest; lag <= longest; lag++ {
		then := a.past[slow-lag:][:slow]
		var product, past float32
		for i := 0; i < slow; i++ {
			product += now[i] * then[i]
			past += then[i] * then[i]
		}
		if product > 0 && product*product > hasPitch*hasPitch*power*past {
			return true
		}
	}
	return false
}

// highPass is a Butterworth filter of the second order at 8 kHz.
type highPass struct {
	b, a1, a2 float32
	x1, x2    float32
	y1, y2    float32
}

func newHighPass() highPass {
	k := math.Tan(math.Pi * corner / 8000)
	norm := 1 / (1 + math.Sqrt2*k + k*k)
	return highPass{b: float32(norm), a1: float32(2 * (k*k - 1) * norm), a2: float32((1 - math.Sqrt2*k + k*k) * norm)}
}

func (f *highPass) next(x float32) float32 {
	y := f.b*(x-2*f.x1+f.x2) - f.a1*f.y1 - f.a2*f.y2
	f.x2, f.x1, f.y2, f.y1 = f.x1, x, f.y1, y
	return y
}
