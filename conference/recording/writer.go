package recording

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/store"
)

const (
	mixName  = "mix"
	noteName = "segment.json"
	// maxTracks bounds the open files of a segment. Who speaks when there are so many has
	// no track, and is in the mix.
	maxTracks = 256
	// flushEvery is how much is written at once at most, in ticks: 1 s.
	flushEvery = 50
	// syncEvery is how often the mix is brought to the disk itself, and its free space
	// looked at, in ticks: 5 s.
	syncEvery = 250
	// maxGaps is of how many gaps the place is written down.
	maxGaps = 64
)

// writer takes what is in a segment's ring and writes its files. It belongs to the
// segment's goroutine.
type writer struct {
	segment *Segment
	disk    disk
	note    *note
	mix     *track // nil before the first frame
	tracks  map[store.ParticipantID]*track
	byPort  map[*mixer.Port]*track // a cache of both maps; nil: it has none
	gapsAt  []gap
	flushed uint64 // tick
	synced  uint64 // tick
	pcm     [maxRate / 50]int16
}

func newWriter(s *Segment) *writer {
	return &writer{segment: s, disk: s.recorder.disk, tracks: map[store.ParticipantID]*track{}, byPort: map[*mixer.Port]*track{}}
}

// run writes until the segment is stopped, and then what is left.
func (w *writer) run() error {
	s := w.segment
	if err := w.checkSpace(); err != nil {
		return err
	}
	var err error
	if w.note, err = createNote(w.disk, path.Join(s.row.Path, noteName), s.spec.Recording, s.row); err != nil {
		return err
	}
	for stopping := false; !stopping; {
		select {
		case <-s.wake:
		case <-s.stopped:
			stopping = true // what was put before Stop is in the ring by now
		}
		if err := w.drain(); err != nil {
			return err
		}
	}
	return nil
}

// drain writes all that there is.
func (w *writer) drain() error {
	for {
		h, pcm, ok := w.segment.ring.take(w.pcm[:])
		if !ok {
			break
		}
		if err := w.write(h, pcm); err != nil {
			return err
		}
		if w.mix.at-w.flushed >= flushEvery { // there is much: it was slow
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	if w.mix == nil || w.mix.at-w.synced < syncEvery {
		return nil
	}
	w.synced = w.mix.at
	if err := w.mix.file.sync(); err != nil {
		return fmt.Errorf("bring a recording to the disk: %w", err)
	}
	return w.checkSpace()
}

// flush makes the files whole.
func (w *writer) flush() error {
	for t := range w.all() {
		if err := t.file.flush(); err != nil {
			return fmt.Errorf("write a recording: %w", err)
		}
	}
	w.count()
	if w.mix != nil {
		w.flushed = w.mix.at
	}
	return nil
}

// write writes one frame.
func (w *writer) write(h head, pcm []int16) error {
	if w.mix == nil {
		// The first frame, of whomever it is, says what the rate of the files is.
		t, err := w.open(mixName, h.rate)
		if err != nil {
			return err
		}
		w.mix = t
	}
	if h.port == nil {
		w.gap(h.tick)
		return w.mix.put(h.tick, h.rate, pcm)
	}
	t, err := w.trackOf(h.port)
	if t == nil || err != nil {
		return err
	}
	return t.put(h.tick, h.rate, pcm)
}

// gap notes that there is nothing of the mix before a tick.
func (w *writer) gap(before uint64) {
	missing := before - w.mix.at
	if missing == 0 {
		return
	}
	s := w.segment
	s.gaps.Add(1)
	s.gapTicks.Add(int64(missing))
	s.recorder.gaps.Add(1)
	if len(w.gapsAt) < maxGaps {
		w.gapsAt = append(w.gapsAt, gap{At: seconds(w.mix.at), Length: seconds(missing)})
	}
	s.recorder.config.Logger.Warn("a recording has a gap: the disk is slow", "recording", s.row.RecordingID, "segment", s.row.Number,
		"at_seconds", seconds(w.mix.at), "seconds", seconds(missing))
}

func seconds(ticks uint64) float64 { return float64(ticks) / 50 }

// trackOf is the track of a port's participant; nil: it has none.
func (w *writer) trackOf(p *mixer.Port) (*track, error) {
	if t, known := w.byPort[p]; known {
		return t, nil
	}
	id, known := w.segment.participant(p)
	if !known {
		return nil, nil
	}
	t := w.tracks[id]
	if t == nil && len(w.tracks) < maxTracks {
		var err error
		if t, err = w.open(string(id), w.mix.rate); err != nil {
			return nil, err
		}
		w.tracks[id] = t
	}
	if t == nil {
		w.segment.recorder.config.Logger.Warn("a recording has as many tracks as it may have; one more participant is in the mix alone",
			"recording", w.segment.row.RecordingID, "tracks", maxTracks, "participant", id)
	}
	w.byPort[p] = t
	return t, nil
}

// open begins a file whose first frame is that of the segment's first tick.
func (w *writer) open(name string, rate int) (*track, error) {
	s := w.segment
	format := s.spec.Recording.Format
	f, err := w.disk.create(path.Join(s.row.Path, name+"."+string(format)))
	if err != nil {
		return nil, fmt.Errorf("make a file of a recording: %w", err)
	}
	var a audio
	switch format {
	case store.FormatWAV:
		a, err = createWAV(f, rate)
	case store.FormatOgg:
		a, err = createOpus(f, s.recorder.config.Codecs, s.spec.Recording, s.row.Number, rate)
	default:
		err = fmt.Errorf("the format %q is not known", format)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin a file of a recording: %w", err), f.Close())
	}
	return &track{file: a, rate: rate}, nil
}

// all are the mix and the tracks.
func (w *writer) all() func(yield func(*track) bool) {
	return func(yield func(*track) bool) {
		if w.mix != nil && !yield(w.mix) {
			return
		}
		for _, t := range w.tracks {
			if !yield(t) {
				return
			}
		}
	}
}

func (w *writer) trackIDs() []store.ParticipantID {
	var ids []store.ParticipantID
	for id := range w.tracks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// count tells how much has been written.
func (w *writer) count() {
	var octets int64
	for t := range w.all() {
		octets += t.file.size()
	}
	w.segment.recorder.octets.Add(octets - w.segment.octets.Swap(octets))
}

func (w *writer) checkSpace() error {
	free, err := w.disk.free()
	if err != nil {
		return err
	}
	if least := w.segment.recorder.config.MinFree; free < least {
		return fmt.Errorf("%w: %d MiB are free, and recordings leave %d MiB for others; remove something, or give recordings a disk of their own", errNearlyFull, free>>20, least>>20)
	}
	return nil
}

// finish makes the files whole, whatever has happened to them, and writes down how the
// segment ended.
func (w *writer) finish(why store.RecordingEnd, err error) {
	s := w.segment
	var errs []error
	if w.mix != nil {
		if end := s.ticks.Load(); err == nil {
			w.gap(end)
			for t := range w.all() {
				errs = append(errs, t.pad(end))
			}
		}
		for t := range w.all() {
			errs = append(errs, t.file.close())
		}
	}
	w.count()
	if w.note != nil {
		errs = append(errs, w.note.end(s.now(why, err), w.gapsAt))
	}
	if e := errors.Join(errs...); e != nil && err == nil {
		s.recorder.config.Logger.Error("a recording has not been finished as it should", "recording", s.row.RecordingID, "segment", s.row.Number, "error", e)
	}
}
