package recording

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/store"
)

// CF10: the tap neither allocates nor waits, also when nobody takes what it puts.
func TestTapIsForTheTick(t *testing.T) {
	hung := make(chan struct{})
	s := newStudio(t, nil)
	s.recorder.disk = slowDisk{s.recorder.disk, func() { <-hung }}
	k := s.begin(store.FormatWAV, true)
	p := port(t)
	k.Track(p, "ann")
	pcm := sine(16000, 0, 400)
	if n := testing.AllocsPerRun(5000, func() { k.Voice(p, 16000, pcm); k.Frame(16000, pcm) }); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
	close(hung)
	k.end(store.RecordingStopped)
}

// slowDisk is a disk on which writes wait.
type slowDisk struct {
	disk
	wait func()
}

func (d slowDisk) create(name string) (handle, error) {
	f, err := d.disk.create(name)
	return slowFile{f, d.wait}, err
}

type slowFile struct {
	handle
	wait func()
}

func (f slowFile) WriteAt(p []byte, off int64) (int, error) {
	f.wait()
	return f.handle.WriteAt(p, off)
}

// CF10: a disk that stands still for some seconds leaves a gap, which is silence, is told
// of, and keeps the rest in its place.
func TestGap(t *testing.T) {
	var gate sync.RWMutex
	s := newStudio(t, nil)
	s.recorder.disk = slowDisk{s.recorder.disk, func() { gate.RLock(); defer gate.RUnlock() }}
	p := port(t)
	k := s.begin(store.FormatWAV, false)
	k.play(50, 8000, map[*mixer.Port]float64{p: 400})
	k.written()
	gate.Lock()
	fill := func(ticks int, frequency float64) {
		for range ticks {
			k.Frame(8000, sine(8000, k.ticks, frequency))
			k.ticks++
		}
	}
	full := len(k.ring.heads)
	fill(full+500, 700) // 500 ticks at least do not fit: what was taken before is not known
	gate.Unlock()
	k.written()
	k.play(50, 8000, map[*mixer.Port]float64{p: 1100})
	row := k.end(store.RecordingStopped)
	lost := int(row.GapTime / engine.FrameTime)
	if row.Gaps != 1 || lost < 400 || lost > 500 || row.Reason != store.RecordingStopped || row.Length != time.Duration(k.ticks)*engine.FrameTime {
		t.Errorf("%+v", row)
	}
	pcm := samples(t, filepath.Join(k.folder, "mix.wav"))
	if len(pcm) != 160*k.ticks {
		t.Fatalf("%d samples, want %d", len(pcm), 160*k.ticks)
	}
	end := len(pcm) - 8000
	has(t, "before the gap", pcm[:8000], 8000, map[float64]bool{400: true, 700: false, 1100: false})
	has(t, "the gap", pcm[end-160*lost:end], 8000, map[float64]bool{400: false, 700: false, 1100: false})
	has(t, "after the gap", pcm[end:], 8000, map[float64]bool{400: false, 700: false, 1100: true})
	if note := read(t, k); len(note.Gaps) != 1 || note.Gaps[0].Length != float64(lost)/50 || note.Segment.Gaps != 1 {
		t.Errorf("%+v", note)
	}
	if st := s.recorder.Stats(); st.Gaps != 1 || st.Failures != 0 {
		t.Errorf("%+v", st)
	}
}

func read(t *testing.T, k *take) contents {
	t.Helper()
	root, err := os.OpenRoot(k.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c, err := readNote(root, ".")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// CF10: a disk that hangs ends the recording, which is told at once, though its writer
// cannot be.
func TestTooSlow(t *testing.T) {
	hung := make(chan struct{})
	s := newStudio(t, nil)
	s.recorder.disk = slowDisk{s.recorder.disk, func() { <-hung }}
	k := s.begin(store.FormatWAV, false)
	for range len(k.ring.heads) + int(GiveUp/engine.FrameTime) + 1 {
		k.Frame(8000, make([]int16, 160))
	}
	s.clock.Advance(watchEvery)
	if row := k.over(); row.Reason != store.RecordingTooSlow || row.Detail == "" || row.EndedAt.IsZero() {
		t.Errorf("%+v", row)
	}
	if st := s.recorder.Stats(); st.Failures != 1 || st.Active != 1 {
		t.Errorf("%+v", st)
	}
	close(hung)
	eventually(t, "the writer has ended", func() bool { return s.recorder.Stats().Active == 0 })
	if len(k.ended) != 0 {
		t.Errorf("the end is told twice: %+v", <-k.ended)
	}
	if note := read(t, k); note.Segment.Reason != store.RecordingTooSlow {
		t.Errorf("%+v", note)
	}
}

// CF10: a full disk ends the recording with what there is, and the files are whole.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("needs root, for a small file system: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for _, format := range []store.RecordingFormat{store.FormatWAV, store.FormatOgg} {
		s := newStudio(t, func(c *Config) { c.Dir, c.Codecs = dir, fakeOpus(100) })
		k := s.begin(format, false)
		p := port(t)
		for len(k.ended) == 0 {
			k.play(1, 8000, map[*mixer.Port]float64{p: 400})
			if k.ticks > 1<<16 {
				t.Fatal("the disk is not full")
			}
		}
		row := k.over()
		if row.Reason != store.RecordingDiskFull || !strings.Contains(row.Detail, "no space") {
			t.Errorf("%+v", row)
		}
		_, _, _, d := probe(t, filepath.Join(k.folder, "mix."+string(format)))
		if d < 3*time.Second || d > row.Length {
			t.Errorf("%s plays for %v of %v", format, d, row.Length)
		}
		if note := read(t, k); note.Segment.Reason != store.RecordingDiskFull || note.Segment.EndedAt.IsZero() {
			t.Errorf("%+v", note)
		}
		if err := os.RemoveAll(k.folder); err != nil {
			t.Error(err)
		}
	}
}

// CF10: recordings leave room for others.
func TestMinFree(t *testing.T) {
	s := newStudio(t, func(c *Config) { c.MinFree = math.MaxUint64 })
	if row := s.begin(store.FormatWAV, false).over(); row.Reason != store.RecordingDiskFull || !strings.Contains(row.Detail, "a disk of their own") {
		t.Errorf("%+v", row)
	}
}

// CF10: who asks for Ogg where there is no Opus is told what to install.
func TestNoOpus(t *testing.T) {
	s := newStudio(t, func(c *Config) { c.Codecs = codec.NewRegistry() })
	if err := s.recorder.Check(store.FormatOgg); !errors.Is(err, ErrNoOpus) || !strings.Contains(err.Error(), "libopus0") {
		t.Error(err)
	}
	if err := s.recorder.Check(store.FormatWAV); err != nil {
		t.Error(err)
	}
	k := s.begin(store.FormatOgg, false)
	k.play(20, 8000, nil)
	if row := k.over(); row.Reason != store.RecordingFailed || !strings.Contains(row.Detail, "libopus0") {
		t.Errorf("%+v", row)
	}
}
