package recording

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/store"
)

// ErrNoOpus: a recording in Ogg is asked for, and this node cannot encode Opus.
var ErrNoOpus = errors.New("recordings in Ogg need the codec Opus, which this node does not have: " +
	"install libopus (Debian: apt-get install libopus0) and start the node again, or record as wav")

const (
	// GiveUp is how long the disk may take nothing until the segment ends as too slow.
	GiveUp = 10 * time.Second
	// MaxLength is how long a segment may get: a WAV file has at most 4 GiB, which are 12
	// hours at 48 kHz.
	MaxLength = 6 * time.Hour
	// watchEvery is how often it is looked for segments that are too slow.
	watchEvery = time.Second
	// stopTime is how long Run waits at its end for files to be finished.
	stopTime = 5 * time.Second
)

// Config is what a Recorder needs.
type Config struct {
	Dir         string // the folder for recordings; made if it is not there
	Place       store.Place
	Incarnation int64           // of this run of the node
	Codecs      *codec.Registry // where Opus is looked for
	MinFree     uint64          // octets that recordings leave free on the disk
	Clock       clockwork.Clock
	Logger      hclog.Logger
}

// Recorder writes a node's recordings. Make one with New; call Run. Its methods are safe
// for concurrent use.
type Recorder struct {
	config  Config
	root    *os.Root
	disk    disk
	writers sync.WaitGroup

	mu     sync.Mutex
	active map[*Segment]struct{}

	octets   atomic.Int64
	gaps     atomic.Uint64
	failures atomic.Uint64
}

// New opens the folder.
func New(c Config) (*Recorder, error) {
	root, err := openRoot(c.Dir)
	if err != nil {
		return nil, err
	}
	return &Recorder{config: c, root: root, disk: realDisk{root}, active: map[*Segment]struct{}{}}, nil
}

func openRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for recordings: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder for recordings: %w", err)
	}
	return root, nil
}

// Check says whether a format can be written: nil or ErrNoOpus.
func (r *Recorder) Check(f store.RecordingFormat) error {
	if f != store.FormatOgg {
		return nil
	}
	if c, ok := r.config.Codecs.Lookup("opus", opusRate); ok && c.NewEncoder != nil {
		return nil
	}
	return ErrNoOpus
}

// Spec is a segment to be written.
type Spec struct {
	Recording  store.Recording
	Number     int                // of the segment
	Conference store.ConferenceID // that is recorded
	// Ended is told once, with what the segment has become, when it has ended: by Stop or
	// by itself. It is called by a goroutine of the recorder's, which waits for it.
	Ended func(store.RecordingSegment)
}

// Start begins a segment. It waits for nothing: that its files cannot be made is told to
// Spec.Ended. Segment.Row is what to keep of it.
func (r *Recorder) Start(spec Spec) *Segment {
	s := newSegment(r, spec)
	r.mu.Lock()
	r.active[s] = struct{}{}
	r.mu.Unlock()
	r.writers.Go(s.run)
	return s
}

// Stats are figures since the start.
type Stats struct {
	Active   int    // segments that are being written
	Octets   int64  // written
	Gaps     uint64 // how often audio was lost
	Failures uint64 // segments that ended by themselves: disk full, too slow, errors
}

// Stats is a snapshot.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Stats{Active: len(r.active), Octets: r.octets.Load(), Gaps: r.gaps.Load(), Failures: r.failures.Load()}
}

// Run ends segments whose disk is too slow, until ctx is done. Then it ends all that
// there are, as RecordingEnded, and waits a while for their files. Nothing may be started
// after that.
func (r *Recorder) Run(ctx context.Context) error {
	tick := r.config.Clock.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.Chan():
			for _, s := range r.segments() {
				s.watch()
			}
		case <-ctx.Done():
			return r.close()
		}
	}
}

func (r *Recorder) segments() []*Segment {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*Segment, 0, len(r.active))
	for s := range r.active {
		list = append(list, s)
	}
	return list
}

// close waits for the writers. One that hangs in a write is left behind: nothing can end
// it, and what it leaves is finished by the next run's Archive.
func (r *Recorder) close() error {
	for _, s := range r.segments() {
		s.Stop(store.RecordingEnded)
	}
	done := make(chan struct{})
	go func() {
		r.writers.Wait()
		close(done)
	}()
	timer := r.config.Clock.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-done:
		return r.root.Close()
	case <-timer.Chan():
		return fmt.Errorf("recordings: %d files are still being written after %v: the disk hangs", len(r.segments()), stopTime)
	}
}

// gone takes a segment out whose writer has ended.
func (r *Recorder) gone(s *Segment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.active, s)
}
