package recording

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// mixerPort has a short name for what tracks are by.
type mixerPort = mixer.Port

// library is an archive over a store.
type library struct {
	*studio
	archive  *Archive
	store    *sqlstore.Store
	customer store.CustomerID
}

func newLibrary(t *testing.T, s *studio, retention time.Duration) *library {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l := &library{studio: s, store: db, customer: "c"}
	if err := errors.Join(db.Migrate(t.Context()), db.CreateCustomer(t.Context(), store.Customer{ID: l.customer, Name: "c", CreatedAt: t0})); err != nil {
		t.Fatal(err)
	}
	l.open(retention)
	return l
}

// open makes the archive of another run of the node.
func (l *library) open(retention time.Duration) {
	l.t.Helper()
	l.config.Incarnation++
	archive, err := NewArchive(l.config, l.store, retention)
	if err != nil {
		l.t.Fatal(err)
	}
	l.archive = archive
	l.t.Cleanup(func() { archive.root.Close() })
}

// keep puts a take into the store as it is now.
func (l *library) keep(k *take, row store.RecordingSegment, change func(*store.Recording)) store.Recording {
	l.t.Helper()
	r := k.spec.Recording
	if change != nil {
		change(&r)
	}
	if err := errors.Join(l.store.PutRecording(l.t.Context(), r), l.store.PutSegment(l.t.Context(), row)); err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *library) kept(id store.RecordingID) (store.Recording, []store.RecordingSegment) {
	l.t.Helper()
	r, segments, err := l.store.Recording(l.t.Context(), store.Scope{}, id)
	if err != nil {
		l.t.Fatal(err)
	}
	return r, segments
}

// CF10: recordings go when their time is over, files and rows; those that stay can be read.
func TestRetention(t *testing.T) {
	l := newLibrary(t, newStudio(t, nil), 30*24*time.Hour)
	record := func(days int) (*take, store.Recording) {
		k := l.begin(store.FormatWAV, false)
		k.play(60, 8000, nil)
		row := k.end(store.RecordingStopped)
		return k, l.keep(k, row, func(r *store.Recording) { r.Retention, r.StoppedAt = days, t0 })
	}
	short, shortRow := record(1)
	standard, _ := record(0)
	long, longRow := record(365)
	sweep := func() {
		t.Helper()
		for range 2 { // what has been done may be done again
			if err := l.archive.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func(takes ...*take) {
		t.Helper()
		for _, k := range []*take{short, standard, long} {
			_, err := os.Stat(k.folder)
			want := false
			for _, x := range takes {
				want = want || x == k
			}
			if want != (err == nil) {
				t.Errorf("a file is left, or gone: %v", err)
			}
		}
	}
	sweep()
	left(short, standard, long)
	l.clock.Advance(25 * time.Hour)
	sweep()
	left(standard, long)
	if _, _, err := l.store.Recording(t.Context(), store.Scope{}, shortRow.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	l.clock.Advance(30 * 24 * time.Hour)
	sweep()
	left(long)
	_, segments := l.kept(longRow.ID)
	f, err := l.archive.Open(segments[0].Path, store.FormatWAV, "")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, track := range []store.ParticipantID{"nobody", "../mix", "../../x"} {
		if _, err := l.archive.Open(segments[0].Path, store.FormatWAV, track); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("track %q: %v", track, err)
		}
	}
	if _, err := l.archive.Open("../..", store.FormatWAV, ""); err == nil {
		t.Error("a folder that is elsewhere is read")
	}
	if err := l.store.RemoveRecording(t.Context(), store.Scope{}, longRow.ID, t0, "api:desk"); err != nil {
		t.Fatal(err)
	}
	sweep()
	left()
	if entries, err := os.ReadDir(l.config.Dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// The process that TestKilledWriter kills.
func TestWriterToBeKilled(t *testing.T) {
	dir := os.Getenv("CONCLAVE_TEST_RECORDING_DIR")
	if dir == "" {
		t.Skip("a part of TestKilledWriter")
	}
	s := newStudio(t, func(c *Config) { c.Dir, c.Codecs = dir, fakeOpus(100) })
	p := port(t)
	for _, format := range []store.RecordingFormat{store.FormatWAV, store.FormatOgg} {
		k := s.begin(format, true)
		k.Track(p, "ann")
		k.play(200, 8000, map[*mixerPort]float64{p: 400})
		k.written()
		k.play(9, 8000, map[*mixerPort]float64{p: 400})
	}
	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	select {}
}

// leastLeft is what is on the disk at least of the 4.2 s that the killed process was given
// at once: a second may wait to be written, and one to fill a page of Ogg.
const leastLeft = 4200*time.Millisecond - 2*time.Second - 200*time.Millisecond

// CF10: files of a node that was killed play, and are finished by its next run, which tells
// the store.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestWriterToBeKilled$")
	cmd.Env = append(os.Environ(), "CONCLAVE_TEST_RECORDING_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other process writes", func() bool {
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.*g*"))
	wavs, err2 := filepath.Glob(filepath.Join(dir, "*", "*", "*.wav"))
	if err != nil || err2 != nil || len(wavs) != 2 || len(files) != 2 {
		t.Fatal(files, wavs, err, err2)
	}
	for _, f := range append(files, wavs...) { // as they are
		if _, _, _, d := probe(t, f); d < leastLeft || d > 4200*time.Millisecond {
			t.Errorf("%s plays for %v", f, d)
		}
	}
	l := newLibrary(t, newStudio(t, func(c *Config) { c.Dir, c.Place.Node = dir, "another" }), 0)
	l.archive.recoverAll(t.Context())
	if none, err := l.store.ListRecordings(t.Context(), store.Scope{}, store.RecordingFilter{}, store.Page{}); err != nil || len(none) != 0 {
		t.Errorf("another node on the same disk finishes them: %+v, %v", none, err)
	}
	l.config.Place.Node = "n"
	l.open(0)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.archive.Run(ctx) }()
	var list []store.Recording
	eventually(t, "both are in the store, with their segments", func() bool {
		if list, err = l.store.ListRecordings(t.Context(), store.Scope{}, store.RecordingFilter{ConferenceID: "conf"}, store.Page{}); err != nil {
			t.Fatal(err)
		}
		return len(list) == 2
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, r := range list {
		_, segments := l.kept(r.ID)
		s := segments[0]
		if len(segments) != 1 || s.Place.Node != "n" || s.Reason != store.RecordingNodeFailure || s.EndedAt.IsZero() || s.Length < leastLeft || s.Octets == 0 || len(s.Tracks) != 1 {
			t.Errorf("%+v", segments)
		}
		if _, _, _, d := probe(t, filepath.Join(dir, s.Path, "mix."+string(r.Format))); (d - s.Length).Abs() > 10*time.Millisecond {
			t.Errorf("plays for %v, finished: %v", d, s.Length)
		}
	}
}

// CF10: a WAV file whose header is behind, or that ends within a sample, is corrected.
func TestTornWAV(t *testing.T) {
	s := newStudio(t, nil)
	k := s.begin(store.FormatWAV, false)
	k.play(100, 8000, nil)
	k.end(store.RecordingStopped)
	file := filepath.Join(k.folder, "mix.wav")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(k.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, size := range []int{len(content) - 1, len(content) - 8000, wavHead, wavHead - 1, 0} {
		torn := append([]byte(nil), content[:size]...)
		if size >= wavHead {
			binary.LittleEndian.PutUint32(torn[40:], 100)
		}
		if err := os.WriteFile(file, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		left, length, _, err := repair(root, "mix.wav")
		want := max(size-wavHead, 0) / 2
		if err != nil || length != time.Duration(want)*time.Second/8000 || left > int64(size) {
			t.Errorf("of %d octets: %d, %v, %v", size, left, length, err)
		}
		if want > 0 && len(samples(t, file)) != want {
			t.Errorf("of %d octets: %d samples, want %d", size, len(samples(t, file)), want)
		}
	}
}

// A segment that the store holds for open, though an earlier run has ended it or its files
// are gone, is closed.
func TestOpenSegmentsOfEarlierRuns(t *testing.T) {
	l := newLibrary(t, newStudio(t, nil), 0)
	ended, gone := l.begin(store.FormatWAV, false), l.begin(store.FormatWAV, false)
	for _, k := range []*take{ended, gone} {
		k.play(50, 8000, nil)
		row := k.end(store.RecordingDiskFull)
		row.EndedAt, row.Reason = time.Time{}, ""
		l.keep(k, row, nil)
	}
	if err := os.RemoveAll(gone.folder); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone.folder); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	l.clock.Advance(2 * lostAfter)
	if err := l.archive.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k, reason := range map[*take]store.RecordingEnd{ended: store.RecordingDiskFull, gone: store.RecordingNodeFailure} {
		r, segments := l.kept(k.spec.Recording.ID)
		if segments[0].Reason != reason || segments[0].EndedAt.IsZero() || r.StoppedAt.IsZero() {
			t.Errorf("%+v of %+v, want %s", segments, r, reason)
		}
	}
}
