package recording

import (
	"fmt"

	"github.com/conclave-voice/conclave/media/resample"
)

// audio is a file of one format that is being written. Frames are of 20 ms at the rate
// that it was made with.
type audio interface {
	write(pcm []int16) error
	// silence is so many frames of it, without the work of encoding them.
	silence(frames uint64) error
	// flush makes the file whole with what was written until now, or nearly: see doc.go.
	flush() error
	sync() error // to the disk itself
	close() error
	size() int64
}

// track is a file with its place in time.
type track struct {
	file audio
	rate int
	at   uint64 // tick of the next frame

	from int // the rate of the last frame, if it was another one
	to   *resample.Resampler
	out  [maxRate / 50]int16
}

// put writes the frame of a tick, and silence for those before it that there are none of.
func (t *track) put(tick uint64, rate int, pcm []int16) error {
	if err := t.pad(tick); err != nil {
		return err
	}
	if rate != t.rate {
		if rate != t.from {
			var err error
			if t.to, err = resample.New(rate, t.rate); err != nil {
				return fmt.Errorf("write a recording: %w", err)
			}
			t.from = rate
		}
		pcm = t.out[:t.to.Process(t.out[:], pcm)]
	}
	t.at = tick + 1
	if err := t.file.write(pcm); err != nil {
		return fmt.Errorf("write a recording: %w", err)
	}
	return nil
}

// pad writes silence until a tick.
func (t *track) pad(tick uint64) error {
	if tick <= t.at {
		return nil
	}
	if err := t.file.silence(tick - t.at); err != nil {
		return fmt.Errorf("write silence into a recording: %w", err)
	}
	t.at = tick
	return nil
}
