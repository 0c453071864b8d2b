package load

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/load/codecs"
	"github.com/conclave-voice/conclave/testenv/load/judge"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// Judge decodes what listeners heard who have left, and judges it together with what else
// was found, such as recordings.
func (c *Crowd) Judge(ctx context.Context, l judge.Limits, more ...judge.Findings) (judge.Verdict, error) {
	c.audio.mu.Lock()
	ended := c.audio.ended
	c.audio.ended = nil
	c.audio.mu.Unlock()
	findings := make([]judge.Findings, len(ended))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, s := range ended {
		group.Go(func() (err error) {
			findings[i], err = c.listen(ctx, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return judge.Verdict{}, err
	}
	v := judge.Judge(append(findings, more...), l)
	return v, c.keep(ctx, v, ended)
}

// keptWorst is how many of the worst listeners are kept.
const keptWorst = 20

// keep writes what the worst listeners heard, as sound and as they got it.
func (c *Crowd) keep(ctx context.Context, v judge.Verdict, ended []*spool) error {
	if c.options.Keep == "" {
		return nil
	}
	for rank, f := range v.Faulty[:min(keptWorst, len(v.Faulty))] {
		if f.Index >= len(ended) {
			continue // a recording, which the node has
		}
		s := ended[f.Index]
		frames, err := s.read()
		if err != nil || len(frames) == 0 {
			return err
		}
		sound, _, err := decode(ctx, s.seat.codec, frames)
		if err != nil {
			return err
		}
		name := filepath.Join(c.options.Keep, fmt.Sprintf("%02d-caller-%d-%s", rank+1, s.seat.n, s.begin.Format("150405")))
		if err := sound.WriteWAV(name + ".wav"); err != nil {
			return err
		}
		if err := os.WriteFile(name+"."+s.seat.codec.Name, s.seat.codec.File(inOrder(frames)), 0o644); err != nil {
			return fmt.Errorf("keep what %v heard: %w", s.seat, err)
		}
	}
	return nil
}

// Room is who has spoken in a room.
func (c *Crowd) Room(n int) judge.Room { return c.attendance.room(n) }

// listen judges one listener.
func (c *Crowd) listen(ctx context.Context, s *spool) (judge.Findings, error) {
	frames, err := s.read()
	if err != nil {
		return judge.Findings{}, err
	}
	e := judge.Ear{Who: fmt.Sprintf("%v, from %s on", s.seat, s.begin.Format(time.TimeOnly)), Kind: s.seat.codec.Name, Coarse: s.seat.codec.Coarse, Seat: s.seat.place, Begin: s.begin,
		Sound: tone.Sound{Rate: codecs.Rate}}
	if len(frames) > 0 {
		if e.Sound, e.Missing, err = decode(ctx, s.seat.codec, frames); err != nil {
			return judge.Findings{}, err
		}
	}
	return judge.Listen(e, c.Room(s.seat.room)), nil
}

// decode is the sound of frames by index, at least one. Those that never came are missing
// in what the decoder gets, as they are for a telephone that conceals nothing, and are
// silence in the sound.
func decode(ctx context.Context, codec codecs.Codec, frames map[int64][]byte) (sound tone.Sound, missing int, err error) {
	order, list := slices.Sorted(maps.Keys(frames)), inOrder(frames)
	decoded, err := codec.Decode(ctx, list)
	if err != nil {
		return sound, 0, err
	}
	// A decoder may hold back the last few samples.
	if want := len(list) * codecs.Samples; len(decoded.Samples) < want-codecs.Samples || len(decoded.Samples) > want+codecs.Samples {
		return sound, 0, fmt.Errorf("decode %s: %d frames gave %d samples, not %d", codec.Name, len(list), len(decoded.Samples), want)
	}
	length := int(order[len(order)-1]) + 1
	sound = tone.Silence(codecs.Rate, time.Duration(length)*frame)
	for i, index := range order {
		from := min(i*codecs.Samples, len(decoded.Samples))
		copy(sound.Samples[int(index)*codecs.Samples:], decoded.Samples[from:min(from+codecs.Samples, len(decoded.Samples))])
	}
	return sound, length - len(order), nil
}

// inOrder are the frames that came.
func inOrder(frames map[int64][]byte) (list [][]byte) {
	for _, index := range slices.Sorted(maps.Keys(frames)) {
		list = append(list, frames[index])
	}
	return list
}
