package server

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/conclave-voice/conclave/callflow/peers"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// recordingsDir is below the data directory, unless Config.Recordings names another.
const recordingsDir = "recordings"

// openRecordings makes what writes recordings, and what looks after their files.
func (n *Node) openRecordings(codecs *codec.Registry) (err error) {
	c := recording.Config{Dir: n.config.Recordings, Place: n.run.Place, Incarnation: n.run.Incarnation, Codecs: codecs,
		MinFree: uint64(n.config.RecordingMinFree) << 20, Clock: n.clock, Logger: n.logger.Named("recording")}
	if c.Dir == "" {
		c.Dir = filepath.Join(n.config.DataDir, recordingsDir)
	}
	if n.recorder, err = recording.New(c); err == nil {
		n.archive, err = recording.NewArchive(c, shelf{n.store, n.journal}, time.Duration(n.config.RecordingRetention)*24*time.Hour)
	}
	if err != nil {
		return fmt.Errorf("--recordings %q: %w; name a directory that can be written", c.Dir, err)
	}
	return nil
}

// shelf is the store, but what has been recorded is told to it by the journal.
type shelf struct {
	*sqlstore.Store
	journal *journal.Journal
}

func (s shelf) PutRecording(ctx context.Context, r store.Recording) error {
	return s.journal.PutRecording(ctx, r)
}

func (s shelf) PutSegment(ctx context.Context, g store.RecordingSegment) error {
	return s.journal.PutSegment(ctx, g)
}

// files opens recordings for who downloads them.
func (n *Node) files() *peers.Recordings {
	if n.cluster == nil {
		return peers.NewRecordings(n.run.Place, n.archive, nil)
	}
	return peers.NewRecordings(n.run.Place, n.archive, n.cluster.Foci())
}

// recordingMetrics are about what is being recorded.
func (n *Node) recordingMetrics(gauge, counter metric) {
	gauge("recordings", "Recordings that this node is writing.", func() float64 { return float64(n.recorder.Stats().Active) })
	counter("recording_octets_total", "Octets of recordings that were written.", func() float64 { return float64(n.recorder.Stats().Octets) })
	counter("recording_gaps_total", "How often audio of a recording was lost because the disk was slow.", func() float64 { return float64(n.recorder.Stats().Gaps) })
	counter("recording_failures_total", "Recordings that ended by themselves: disk full, too slow, errors.", func() float64 { return float64(n.recorder.Stats().Failures) })
}
