package codecs

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tools"
)

// Each codec keeps a second that is played in a loop: its tone, its level, and no gap
// where it begins anew.
func TestLoopIsHeardAsItWas(t *testing.T) {
	tools.Need(t, tools.FFmpeg)
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			loop, err := c.Loop(t.Context(), tone.Steady(Rate, tone.Caller(2), -26))
			if err != nil {
				t.Fatal(err)
			}
			heard, err := c.Decode(t.Context(), slices.Concat(loop, loop, loop))
			if err != nil {
				t.Fatal(err)
			}
			if d := heard.Duration(); (d - 3*time.Second).Abs() > 20*time.Millisecond {
				t.Errorf("%v of sound", d)
			}
			middle := heard.Between(500*time.Millisecond, 2500*time.Millisecond)
			if !tone.Heard(middle.Samples, Rate, 0, 2*time.Second, tone.Caller(2)) {
				t.Error("the tone is not heard")
			}
			if l := tone.RMS(middle.Samples); math.Abs(l+26) > 2 {
				t.Errorf("level %.1f dBFS", l)
			}
			if gaps := tone.Gaps(middle.Samples, Rate, -45, 5*time.Millisecond); len(gaps) > 0 {
				t.Errorf("gaps %v", gaps)
			}
		})
	}
}

func TestMissingIsNamed(t *testing.T) {
	if _, err := Find("EVS"); err == nil || !strings.Contains(err.Error(), "PCMU, PCMA") {
		t.Errorf("an unknown codec: %v", err)
	}
	if c, err := Find("Opus"); err != nil || c.Map() != "opus/48000/2" || c.Step() != 960 {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("PATH", os.TempDir())
	c, _ := Find("PCMA")
	if _, err := c.Decode(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("without ffmpeg: %v", err)
	}
}
