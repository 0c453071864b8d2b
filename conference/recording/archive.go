package recording

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// Shelf is where it is kept what there is. See package store for the contracts.
type Shelf interface {
	PutRecording(ctx context.Context, r store.Recording) error
	PutSegment(ctx context.Context, s store.RecordingSegment) error
	ExpireRecordings(ctx context.Context, now time.Time, standard time.Duration) (int, error)
	EndLostRecordings(ctx context.Context, since time.Time) (int, error)
	OpenSegments(ctx context.Context, node string) ([]store.RecordingSegment, error)
	RemovedSegments(ctx context.Context, node string) ([]store.RecordingSegment, error)
	ForgetSegment(ctx context.Context, id store.SegmentID) error
}

const (
	// sweepEvery is how often it is looked for recordings to be removed.
	sweepEvery = time.Minute
	// lostAfter is how long after its last segment a recording ends that no node goes on
	// with. Nodes that could not reach the database have time to tell of theirs.
	lostAfter = time.Hour
	sweepTime = 30 * time.Second
)

// Archive looks after the files that a node has written: it finishes those of earlier
// runs, removes those whose time is over, and opens them for who downloads. Make one with
// NewArchive; call Run.
type Archive struct {
	root        *os.Root
	shelf       Shelf
	node        string
	incarnation int64
	retention   time.Duration // of recordings whose room does not say how long; 0: for ever
	clock       clockwork.Clock
	logger      hclog.Logger
}

// NewArchive opens the folder of c, which a Recorder of this node writes to.
func NewArchive(c Config, shelf Shelf, retention time.Duration) (*Archive, error) {
	root, err := openRoot(c.Dir)
	if err != nil {
		return nil, err
	}
	return &Archive{root: root, shelf: shelf, node: c.Place.Node, incarnation: c.Incarnation, retention: retention, clock: c.Clock, logger: c.Logger}, nil
}

// Run finishes what earlier runs have left, and sweeps every minute, until ctx is done.
func (a *Archive) Run(ctx context.Context) error {
	a.recoverAll(ctx)
	tick := a.clock.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := a.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.logger.Warn("recordings were not looked after; trying again in a minute", "error", err)
		}
		select {
		case <-tick.Chan():
		case <-ctx.Done():
			return a.root.Close()
		}
	}
}

// Close is for an Archive that is not Run.
func (a *Archive) Close() error { return a.root.Close() }

// recoverAll finishes all files that earlier runs have left open, whatever the database
// knows of them.
func (a *Archive) recoverAll(ctx context.Context) {
	err := fs.WalkDir(a.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != noteName {
			return ctx.Err() // a folder that cannot be read does not keep others from it
		}
		if err := a.recover(ctx, path.Dir(name)); err != nil {
			a.logger.Error("a recording of an earlier run cannot be finished", "folder", path.Dir(name), "error", err)
		}
		return ctx.Err()
	})
	if err != nil && ctx.Err() == nil {
		a.logger.Error("looking for recordings of earlier runs", "error", err)
	}
}

// recover finishes a segment of an earlier run, and tells of it.
func (a *Archive) recover(ctx context.Context, folder string) error {
	before, err := readNote(a.root, folder)
	if err != nil {
		return err
	}
	s := before.Segment
	if s.Place.Node != a.node || s.Incarnation == a.incarnation || !s.EndedAt.IsZero() {
		return nil // another node may have the folder on the same disk
	}
	c, err := recoverSegment(a.root, folder)
	if err != nil {
		return err
	}
	a.logger.Warn("finished a recording that the node's last run was writing when it died", "recording", c.Recording.ID, "segment", c.Segment.Number, "length", c.Segment.Length)
	if err := a.shelf.PutRecording(ctx, c.Recording); err != nil {
		return err
	}
	return a.shelf.PutSegment(ctx, c.Segment)
}

// Sweep tells the store how open segments of earlier runs have ended, ends recordings that
// nobody goes on with, and removes what is to be removed. All of it may be done again.
func (a *Archive) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	now := a.clock.Now().UTC()
	if err := a.closeOpen(ctx); err != nil {
		return err
	}
	if _, err := a.shelf.EndLostRecordings(ctx, now.Add(-lostAfter)); err != nil {
		return err
	}
	if n, err := a.shelf.ExpireRecordings(ctx, now, a.retention); err != nil {
		return err
	} else if n > 0 {
		a.logger.Info("the time of recordings is over", "recordings", n)
	}
	removed, err := a.shelf.RemovedSegments(ctx, a.node)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range removed {
		errs = append(errs, a.remove(ctx, s))
	}
	return errors.Join(errs...)
}

// closeOpen tells of segments that the store holds for open, and that an earlier run has
// ended, or was writing.
func (a *Archive) closeOpen(ctx context.Context) error {
	open, err := a.shelf.OpenSegments(ctx, a.node)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range open {
		if s.Incarnation == a.incarnation {
			continue
		}
		c, err := recoverSegment(a.root, s.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			// The disk is another one, or somebody has removed the files.
			s.EndedAt, s.Reason, s.Detail = s.StartedAt, store.RecordingNodeFailure, "the files are gone"
		case err != nil:
			errs = append(errs, err)
			continue
		default:
			s = c.Segment
		}
		errs = append(errs, a.shelf.PutSegment(ctx, s))
	}
	return errors.Join(errs...)
}

// remove removes the files of a segment, and then its row.
func (a *Archive) remove(ctx context.Context, s store.RecordingSegment) error {
	if err := a.root.RemoveAll(s.Path); err != nil {
		return fmt.Errorf("remove the files of recording %s: %w", s.RecordingID, err)
	}
	_ = a.root.Remove(path.Dir(s.Path)) // the conference's, if it is empty
	a.logger.Info("removed a segment of a recording", "recording", s.RecordingID, "segment", s.Number)
	return a.shelf.ForgetSegment(ctx, s.ID)
}

// Open opens a file of a segment: the mix, or a participant's track. store.ErrNotFound if
// there is none.
func (a *Archive) Open(folder string, f store.RecordingFormat, track store.ParticipantID) (*os.File, error) {
	name := mixName
	if track != "" {
		name = string(track)
	}
	if strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("track %q: %w", track, store.ErrNotFound)
	}
	file, err := a.root.Open(path.Join(folder, name+"."+string(f)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %s.%s of the segment: %w", name, f, store.ErrNotFound)
	}
	return file, err
}
