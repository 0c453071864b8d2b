package baresip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// Recording is a file of what a phone has heard. There is a new one for each call.
// It ends when the phone holds: baresip 1.0 does not go on with it after the resume,
// although it plays.
type Recording struct {
	tone.Sound
	Path  string
	Ended time.Time // of its last sample until now, to some 20 ms
}

// Began is when its first sample was heard.
func (r Recording) Began() time.Time { return r.Ended.Add(-r.Duration()) }

// Recordings returns what the phone has heard, the oldest first, those of calls
// that go on as far as they are.
func (p *Phone) Recordings() ([]Recording, error) {
	paths, err := filepath.Glob(filepath.Join(p.recordings, "*-dec.wav"))
	if err != nil {
		return nil, err
	}
	var all []Recording
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("reading what %s heard: %w", p.options.Name, err)
		}
		sound, err := tone.ReadWAV(path)
		if err != nil {
			continue // not a sample yet
		}
		all = append(all, Recording{Sound: sound, Path: path, Ended: info.ModTime()})
	}
	slices.SortFunc(all, func(a, b Recording) int { return a.Began().Compare(b.Began()) })
	return all, nil
}

// Heard returns all that the phone has heard, joined without the pauses between
// recordings.
func (p *Phone) Heard() (tone.Sound, error) {
	recordings, err := p.Recordings()
	if err != nil {
		return tone.Sound{}, err
	}
	var all tone.Sound
	for _, r := range recordings {
		if all.Rate != 0 && all.Rate != r.Rate {
			return tone.Sound{}, fmt.Errorf("%s has heard calls of %d and of %d Hz: use Recordings", p.options.Name, all.Rate, r.Rate)
		}
		all = tone.Join(all, r.Sound)
	}
	return all, nil
}

// Hears waits until the phone has heard the tone of a frequency (Hz) for the last
// d of its newest recording, by the measure of [tone.Heard].
func (p *Phone) Hears(ctx context.Context, frequency float64, d time.Duration) error {
	return p.listen(ctx, d, func(s tone.Sound) error {
		if !tone.Heard(s.Samples, s.Rate, 0, d, frequency) {
			return fmt.Errorf("%s does not hear %.0f Hz", p.options.Name, frequency)
		}
		return nil
	})
}

// HearsNone waits until for the last d of its newest recording the phone has not
// heard any of the tones, not even for 50 ms.
func (p *Phone) HearsNone(ctx context.Context, d time.Duration, frequencies ...float64) error {
	return p.listen(ctx, d, func(s tone.Sound) error {
		for _, f := range frequencies {
			if share := tone.Share(s.Samples, s.Rate, 0, d, f); share > 0 {
				return fmt.Errorf("%s hears %.0f Hz in %.0f %% of the time", p.options.Name, f, 100*share)
			}
		}
		return nil
	})
}

// HearsSaid waits until what was said, such as a prompt, is in the newest
// recording, by the measure of [tone.Find]. It begins in the middle of what it found
// before, so that several calls check an order, whatever silence is cut off between.
func (p *Phone) HearsSaid(ctx context.Context, said tone.Sound) error {
	var searched time.Duration // of the newest recording
	best := 0.0
	return p.process.Poll(ctx, func() error {
		newest, err := p.newest()
		if err != nil {
			return err
		}
		if newest.Path != p.found.path {
			p.found, searched = place{path: newest.Path}, 0
		}
		// Searching costs time that the call under test needs: not for each packet.
		fresh := newest.Duration() - searched
		if fresh >= searchStep || fresh > 0 && time.Since(newest.Ended) > searchStep {
			from := max(p.found.middle, searched-said.Duration()-searchStep)
			searched = newest.Duration()
			at, likeness := tone.Find(newest.Between(from, searched), said)
			if best = max(best, likeness); likeness >= tone.Alike {
				p.found.middle = from + at + said.Duration()/2
				return nil
			}
		}
		return fmt.Errorf("%s does not hear what is said: at best %.0f %% alike", p.options.Name, 100*best)
	})
}

// place is where in a recording something was found.
type place struct {
	path   string
	middle time.Duration
}

// searchStep is how much more must have been heard before it is searched again.
const searchStep = 500 * time.Millisecond

// HasHeard says whether what was said is anywhere in what the phone has heard.
func (p *Phone) HasHeard(said tone.Sound) (bool, error) {
	heard, err := p.Heard()
	if err != nil {
		return false, err
	}
	_, likeness := tone.Find(heard, said)
	return likeness >= tone.Alike, nil
}

// freshness is how old the end of a recording may be for "the last d" to be now.
const freshness = time.Second

// listen waits until check is content with the last d heard.
func (p *Phone) listen(ctx context.Context, d time.Duration, check func(tone.Sound) error) error {
	return p.process.Poll(ctx, func() error {
		newest, err := p.newest()
		if err != nil {
			return err
		}
		if old := time.Since(newest.Ended); old > freshness {
			return fmt.Errorf("%s has heard nothing for %v", p.options.Name, old.Round(time.Millisecond))
		}
		length := newest.Duration()
		if length < d {
			return fmt.Errorf("%s has heard %v so far", p.options.Name, length)
		}
		return check(newest.Between(length-d, length))
	})
}

func (p *Phone) newest() (Recording, error) {
	recordings, err := p.Recordings()
	if err != nil {
		return Recording{}, err
	}
	if len(recordings) == 0 {
		return Recording{}, errors.New(p.options.Name + " has heard nothing")
	}
	return recordings[len(recordings)-1], nil
}
