package mixer

import (
	"math/rand/v2"
	"testing"
)

// What scale does at once is what the gain is at each sample, and no sample is over the
// magnitude that it gives.
func TestScaleFollowsTheRamp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, 160)
	for i := range pcm {
		pcm[i] = int16(random.Uint32())
	}
	out := make([]int32, len(pcm))
	for _, r := range []ramp{fade(0, unity, 8000), fade(unity, unity, 8000), fade(unity, 0, 8000), fade(3*unity, unity/3, 8000), fade(unity/2, unity/2, 16000), {unity, 2 * unity, 400}} {
		peak, highest := r.scale(out, pcm), 0
		for i, v := range pcm {
			if want := int32(int(v) * r.at(i) >> 16); out[i] != want {
				t.Fatalf("%+v: sample %d is %d, want %d", r, i, out[i], want)
			}
			highest = max(highest, int(out[i]), -int(out[i]))
		}
		if peak != highest {
			t.Errorf("%+v: peak %d, want %d", r, peak, highest)
		}
	}
}
