package dtmf

import (
	"fmt"

	"github.com/conclave-voice/conclave/media/resample"
)

// blocksPerFrame is how many blocks of the detector a frame has.
const blocksPerFrame = 2

// Filter keeps tones out of the audio that passes through it. It gives each frame
// one frame later, so that when a tone is known for one, at most 40 ms after it
// began, all of it is still there to be blanked: nothing of it is heard, at the
// cost of 20 ms of delay and of up to 10 ms of speech on either side of the tone.
//
// What is not certain to be a key, but looks like one for 20 ms, is blanked too.
type Filter struct {
	detector *Detector
	down     *resample.Resampler
	narrow   [2 * blockSize]int16

	frame     int // samples of 20 ms
	held      []int16
	blankHeld [blocksPerFrame]bool
	silent    bool // the last block that was given was blank
	blanked   bool // some block of the last frame that was given was
}

// NewFilter makes a filter for frames of 20 ms at a rate from 8000 to 48000 Hz
// that package resample knows.
func NewFilter(rate int) (*Filter, error) {
	down, err := resample.New(rate, sampleRate)
	if err != nil || rate < sampleRate {
		return nil, fmt.Errorf("dtmf: no filter for %d Hz, only for 8000 to 48000 that resample knows", rate)
	}
	return &Filter{detector: NewDetector(), down: down, frame: rate / 50, held: make([]int16, rate/50)}, nil
}

// Process takes the next frame and puts the one before in its place, its tones
// blanked. The first frame that is given is silence. ok says that a digit was
// recognized. A frame of another length than 20 ms is left alone.
func (f *Filter) Process(pcm []int16) (digit Digit, ok bool) {
	if len(pcm) != f.frame {
		return 0, false
	}
	f.down.Process(f.narrow[:], pcm)
	var blank [blocksPerFrame]bool
	for i := range blocksPerFrame {
		block := f.narrow[i*blockSize : (i+1)*blockSize]
		if d, found := f.detector.Process(block); found {
			digit, ok = d, true
		}
		if blank[i] = f.detector.Suspect(); blank[i] {
			f.blankBefore(&blank, i)
		}
	}
	for i := range pcm {
		pcm[i], f.held[i] = f.held[i], pcm[i]
	}
	f.give(pcm, f.blankHeld, blank[0])
	f.blankHeld = blank
	return digit, ok
}

// Blanked says whether any of the frame that Process gave last was blanked.
func (f *Filter) Blanked() bool { return f.blanked }

// blankBefore blanks what led to a suspicion at block i: the block with which it
// began, and the one before that, in whose later part the tone may have started.
func (f *Filter) blankBefore(blank *[blocksPerFrame]bool, i int) {
	for back := 1; back <= suspectBlocks; back++ {
		if i-back >= 0 {
			blank[i-back] = true
		} else {
			f.blankHeld[i-back+blocksPerFrame] = true
		}
	}
}

// give blanks the blocks that are marked, in a frame about to be heard. The first
// 2 ms of the first and the last 2 ms of the last blank block hold no tone yet or
// any more, or it would fill the block enough to be found; they carry the fades.
func (f *Filter) give(pcm []int16, blank [blocksPerFrame]bool, next bool) {
	size := len(pcm) / blocksPerFrame
	fade := size / 5
	f.blanked = false
	for i, b := range blank {
		block := pcm[i*size : (i+1)*size]
		follows := next
		if i+1 < blocksPerFrame {
			follows = blank[i+1]
		}
		if b {
			hush(block, fade, !f.silent, !follows)
			f.blanked = true
		}
		f.silent = b
	}
}

// hush silences a block but for the fades at its ends.
func hush(block []int16, fade int, out, in bool) {
	from, to := 0, len(block)
	if out {
		for i := range fade {
			block[i] = int16(int(block[i]) * (fade - i) / (fade + 1))
		}
		from = fade
	}
	if in {
		for i := range fade {
			at := len(block) - fade + i
			block[at] = int16(int(block[at]) * (i + 1) / (fade + 1))
		}
		to -= fade
	}
	clear(block[from:to])
}
