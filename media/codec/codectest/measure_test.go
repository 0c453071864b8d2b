package codectest

import (
	"math"
	"testing"
)

func TestMeasures(t *testing.T) {
	tone := Tone(8000, 8000, 440, 10000)
	late := append(make([]int16, 37), tone...)
	if d := Align(tone, late, 100); d != 37 {
		t.Errorf("delay %d", d)
	}
	noisy := make([]int16, len(tone))
	for i := range tone {
		noisy[i] = tone[i] + int16(100*(i%2*2-1))
	}
	// 7071 over 100.
	if snr := SegmentalSNR(tone, noisy, 8000); math.Abs(snr-37) > 0.5 {
		t.Errorf("%.1f dB", snr)
	}
	if snr := SegmentalSNR(tone, tone, 8000); snr != 60 {
		t.Errorf("%.1f dB", snr)
	}
}
