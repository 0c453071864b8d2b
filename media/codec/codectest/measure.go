package codectest

import "math"

// SegmentalSNR is how far the noise of degraded lies below the signal of reference, in
// dB: the mean over segments of 20 ms, each taken as -10 to 60 dB. Segments in which the
// reference is silent (below -60 dBFS) do not count. The two must be aligned: see Align.
func SegmentalSNR(reference, degraded []int16, rate int) float64 {
	frame := rate / 50
	sum, segments := 0.0, 0
	for from := 0; from+frame <= min(len(reference), len(degraded)); from += frame {
		signal, noise := 0.0, 0.0
		for i := from; i < from+frame; i++ {
			r, d := float64(reference[i]), float64(degraded[i])
			signal += r * r
			noise += (r - d) * (r - d)
		}
		if signal < float64(frame)*32*32 {
			continue
		}
		segments++
		sum += min(max(10*math.Log10(signal/max(noise, 1)), -10), 60)
	}
	if segments == 0 {
		return 0
	}
	return sum / float64(segments)
}

// Align finds by how many samples degraded is later than reference, from 0 to most: where
// the two are most alike.
func Align(reference, degraded []int16, most int) (delay int) {
	best := math.Inf(-1)
	for d := 0; d <= most && d < len(degraded); d++ {
		sum := 0.0
		for i := range min(len(reference), len(degraded)-d) {
			sum += float64(reference[i]) * float64(degraded[i+d])
		}
		if sum > best {
			best, delay = sum, d
		}
	}
	return delay
}

// SNR is the segmental SNR after the codecs' delay, of 50 ms at most, is taken out.
func SNR(pcm, got []int16, rate int) float64 {
	d := Align(pcm[:min(rate, len(pcm))], got, rate/20)
	return SegmentalSNR(pcm, got[d:], rate)
}

// Tone is a sine of a frequency in Hz and an amplitude up to 32767.
func Tone(rate, samples int, hz, amplitude float64) []int16 {
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}
