package voice

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/media/dtmf"
)

const text = `Good morning everybody. Shall we begin? The first point today is the budget for next year.
She sells sea shells by the sea shore. Yes, I think so too; but who is going to tell the others?`

// white is noise of a level in dBFS.
func white(n int, level float64) []int16 {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(random.NormFloat64() * 32768 * math.Pow(10, level/20)))
	}
	return pcm
}

// red is noise that falls by 6 dB in each octave above 500 Hz.
func red(n int, level float64) []int16 {
	random := rand.New(rand.NewPCG(2, uint64(n)))
	pcm := make([]int16, n)
	keep := math.Exp(-2 * math.Pi * 500 / 8000)
	last := 0.0
	for i := range pcm {
		last = keep*last + random.NormFloat64()
		pcm[i] = int16(math.Round(last * 32768 * math.Pow(10, level/20) * math.Sqrt(1-keep*keep)))
	}
	return pcm
}

func tone(rate, n int, level float64, frequencies ...float64) []int16 {
	pcm := make([]int16, n)
	amplitude := 32768 * math.Pow(10, level/20) * math.Sqrt(2/float64(len(frequencies)))
	for i := range pcm {
		v := 0.0
		for _, f := range frequencies {
			v += amplitude * math.Sin(2*math.Pi*f*float64(i)/float64(rate))
		}
		pcm[i] = int16(max(-32768, min(math.Round(v), 32767)))
	}
	return pcm
}

func plus(a, b []int16) []int16 {
	sum := make([]int16, len(a))
	for i := range a {
		sum[i] = a[i] + b[i%len(b)]
	}
	return sum
}

// scaled brings what is louder than -40 dB of the loudest, in frames, to a level.
func scaled(pcm []int16, level float64) []int16 {
	var sum, n float64
	for _, f := range frames(pcm, 8000) {
		if p := power(f); p > 100*100 {
			sum, n = sum+p, n+1
		}
	}
	factor := math.Pow(10, level/20) * 32768 / math.Sqrt(sum/n)
	out := make([]int16, len(pcm))
	for i, v := range pcm {
		out[i] = int16(max(-32768, min(float64(v)*factor, 32767)))
	}
	return out
}

func power(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return sum / float64(len(pcm))
}

func frames(pcm []int16, rate int) (list [][]int16) {
	for n := rate / 50; len(pcm) >= n; pcm = pcm[n:] {
		list = append(list, pcm[:n])
	}
	return list
}

// heard is what a detector makes of a signal.
func heard(t *testing.T, rate int, pcm []int16) []Activity {
	t.Helper()
	d, err := NewDetector(rate)
	if err != nil {
		t.Fatal(err)
	}
	var list []Activity
	for _, f := range frames(pcm, rate) {
		list = append(list, d.Process(f))
	}
	return list
}

// share is the part of frames that are sound, or voice.
func share(list []Activity, voice bool) float64 {
	n := 0
	for _, a := range list {
		if voice && a.Voice || !voice && a.Sound {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

// SPEC CF13: speech is found, at several levels and over noise of several levels, from
// two synthesizers.
func TestSpeech(t *testing.T) {
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := codectest.Speech(t, program, text, "8000")
		for _, c := range []struct{ speech, noise float64 }{{-20, -70}, {-35, -65}, {-42, -70}, {-20, -50}, {-26, -45}, {-20, -40}} {
			clean := scaled(pcm, c.speech)
			noisy := plus(clean, red(len(clean), c.noise))
			list := heard(t, 8000, noisy)
			loud, found, begun, cut := 0, 0, 0, 0
			for i, f := range frames(clean, 8000) {
				level := 10*math.Log10(power(f)+1e-9) - fullScale
				if level < max(c.speech-10, c.noise+6) {
					continue
				}
				loud++
				if list[i].Sound {
					found++
				}
				if begun++; begun > 3 && !list[i].Voice {
					cut++
				}
			}
			if float64(found) < 0.93*float64(loud) {
				t.Errorf("%s at %v over %v dBFS: %d of %d loud frames are sound", program, c.speech, c.noise, found, loud)
			}
			if cut > loud/50 {
				t.Errorf("%s at %v over %v dBFS: %d of %d frames are cut off", program, c.speech, c.noise, cut, loud)
			}
		}
	}
}

// CF13: the noise of a line is none, after half a second; and no hum of the mains is.
func TestNoise(t *testing.T) {
	for _, level := range []float64{-75, -65, -60, -55, -50, -45, -40, -35, -30} {
		for name, pcm := range map[string][]int16{"white": white(8000*20, level), "red": red(8000*20, level)} {
			list := heard(t, 8000, pcm)
			if s := share(list[25:], false); s > 0.01 {
				t.Errorf("%s noise of %v dBFS: %.3f of it is sound", name, level, s)
			}
			if s := share(list[50:], true); s > 0 {
				t.Errorf("%s noise of %v dBFS: %.3f of it is voice", name, level, s)
			}
		}
	}
	for _, mains := range []float64{50, 60} {
		pcm := plus(plus(tone(8000, 8000*10, -30, mains), tone(8000, 8000*10, -45, 2*mains, 3*mains)), red(8000*10, -65))
		if s := share(heard(t, 8000, pcm), false); s > 0.01 {
			t.Errorf("hum of %v Hz: %.3f of it is sound", mains, s)
		}
	}
}

// CF13: noise that comes on is learned within two seconds; a voice over it is still heard.
func TestNoiseThatComesOn(t *testing.T) {
	pcm := append(white(8000*5, -70), white(8000*10, -45)...)
	list := heard(t, 8000, pcm)
	if s := share(list[250+100:], false); s > 0.01 {
		t.Errorf("%.3f of it is sound two seconds later", s)
	}
}

// CF13: tones and music count at once, and for as long as they last.
func TestTonesAndMusic(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, frequency := range []float64{300, 440, 1000, 1800, 2500, 3300} {
			for _, level := range []float64{-10, -21, -40} {
				pcm := plus(tone(rate, rate*10, level, frequency), white(rate*10, -70))
				list := heard(t, rate, pcm)
				if !list[0].Sound || share(list, false) < 0.999 || share(list, true) < 0.99 {
					t.Errorf("%v Hz of %v dBFS at %d: first %v, sound %.3f, voice %.3f", frequency, level, rate,
						list[0].Sound, share(list, false), share(list, true))
				}
			}
		}
	}
	var music []int16
	for i := range 60 { // chords that fade, with a note of another instrument
		root := 220 * math.Pow(2, float64(i%7)/12)
		chord := tone(8000, 4000, -22, root, root*1.26, root*1.5, 2*root)
		for j := range chord {
			chord[j] = int16(float64(chord[j]) * math.Exp(-float64(j)/3000))
		}
		music = append(music, chord...)
	}
	list := heard(t, 8000, plus(music, white(len(music), -65)))
	if s := share(list, true); s < 0.97 {
		t.Errorf("%.3f of the music is voice", s)
	}
}

// CD3: what a filter leaves of a key is no voice.
func TestRestOfAKeyIsNoVoice(t *testing.T) {
	var pcm []int16
	for _, key := range "159D7" {
		key, err := dtmf.Generate(dtmf.Digit(key), 8000, 80_000_000, -10)
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(append(pcm, make([]int16, 2440)...), key...)
	}
	pcm = append(pcm, make([]int16, 4000)...)
	filter, err := dtmf.NewFilter(8000)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames(pcm, 8000) {
		filter.Process(f)
	}
	if s := share(heard(t, 8000, plus(pcm, white(len(pcm), -65))), true); s > 0 {
		t.Errorf("%.3f is voice", s)
	}
}

func TestSilenceEndsVoice(t *testing.T) {
	d, _ := NewDetector(8000)
	for _, f := range frames(tone(8000, 8000, -20, 500), 8000) {
		d.Process(f)
	}
	for i := range 30 {
		if a := d.Silence(); a.Sound || a.Voice != (i < hangover-1) {
			t.Fatalf("frame %d: %+v", i, a)
		}
	}
	if a := d.Process(nil); a.Sound {
		t.Error("no samples are sound")
	}
	if _, err := NewDetector(11025); err == nil {
		t.Error("11025 Hz was taken")
	}
}

// CF13: soft and loud speakers are brought to one loudness, noise is not raised.
func TestGain(t *testing.T) {
	speech := codectest.Speech(t, "flite", text, "8000")
	for _, c := range []struct{ speech, noise, least, most float64 }{
		{-20, -70, -1, 1}, {-32, -70, 6, 11}, {-40, -75, 13, 15}, {-12, -70, -6, -3.5}, {-35, -55, 0, 6.5}, {-35, -45, 0, 0.1},
	} {
		clean := scaled(speech, c.speech)
		d, _ := NewDetector(8000)
		var g Gain
		for range 4 {
			for _, f := range frames(plus(clean, red(len(clean), c.noise)), 8000) {
				g.Next(d.Process(f), d.Noise())
			}
		}
		if db := float64(g.Decibels()); db < c.least || db > c.most {
			t.Errorf("speech of %v over noise of %v dBFS: gain %.1f dB, want %v to %v", c.speech, c.noise, db, c.least, c.most)
		}
	}
}

// CF13: while there is no voice the gain stays what it is.
func TestGainIsFrozenInPauses(t *testing.T) {
	d, _ := NewDetector(8000)
	var g Gain
	for _, f := range frames(tone(8000, 8000*8, -35, 500, 900), 8000) {
		g.Next(d.Process(f), d.Noise())
	}
	before := g.Decibels()
	if before < 8 {
		t.Fatalf("gain %.1f dB", before)
	}
	for _, f := range frames(white(8000*10, -60), 8000) {
		g.Next(d.Process(f), d.Noise())
	}
	if after := g.Decibels(); math.Abs(float64(after-before)) > 0.5 {
		t.Errorf("from %.1f to %.1f dB", before, after)
	}
}

func TestNoAllocation(t *testing.T) {
	d, _ := NewDetector(16000)
	var g Gain
	pcm := tone(16000, 320, -20, 500)
	if n := testing.AllocsPerRun(100, func() { g.Next(d.Process(pcm), d.Noise()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDetector(b *testing.B) {
	for name, pcm := range map[string][]int16{"noise": white(160, -60), "tone": tone(8000, 160, -20, 500), "loud-noise": white(160, -20)} {
		b.Run(name, func(b *testing.B) {
			d, _ := NewDetector(8000)
			var g Gain
			for b.Loop() {
				g.Next(d.Process(pcm), d.Noise())
			}
		})
	}
}
