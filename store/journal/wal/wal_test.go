package wal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, c Config) (*Log, []Damage) {
	t.Helper()
	l, damages, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, damages
}

// small makes segments end early.
func small(dir string) Config { return Config{Dir: dir, SegmentBytes: 4096, MaxBytes: 1 << 20} }

func (l *Log) put(t testing.TB, bodies ...string) uint64 {
	t.Helper()
	var list [][]byte
	for _, b := range bodies {
		list = append(list, []byte(b))
	}
	seq, err := l.Append(true, list...)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// waiting are the bodies of all entries that wait.
func (l *Log) waiting(t testing.TB) (bodies []string) {
	t.Helper()
	for after := uint64(0); ; {
		list, err := l.After(after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if e.Seq <= after || e.Err != nil {
				t.Fatalf("%+v after %d", e, after)
			}
			after = e.Seq
			bodies = append(bodies, string(e.Body))
		}
		if len(list) < 7 {
			return bodies
		}
	}
}

func (l *Log) done(t testing.TB, seqs ...uint64) {
	t.Helper()
	for _, seq := range seqs {
		if err := l.Done(seq); err != nil {
			t.Error(err)
		}
	}
}

func expect(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q wait, want %q", got, want)
	}
}

// MS7: entries survive the process, in order; what is done does not come back; numbers
// go on.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	first := l.put(t, "a", "b", "c")
	l.put(t, "d")
	l.done(t, first+1, first+1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var damages []Damage
		l, damages = open(t, small(dir))
		if len(damages) != 0 {
			t.Errorf("%+v", damages)
		}
		expect(t, l.waiting(t), "a", "c", "d")
		l.Close()
	}
	l, _ = open(t, small(dir))
	if seq := l.put(t, "e"); seq <= first+3 {
		t.Errorf("number %d was given twice", seq)
	}
	expect(t, l.waiting(t), "a", "c", "d", "e")
	if _, _, err := Open(small(dir)); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
}

// Segments go when everything in them is done, from the oldest on, and the log does not
// grow with what has passed through it.
func TestSegmentsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	body := string(bytes.Repeat([]byte("x"), 500))
	held := l.put(t, "held")
	for range 100 {
		l.done(t, l.put(t, body))
	}
	if n := len(l.segments); n < 10 {
		t.Errorf("%d segments; the first holds them all", n)
	}
	l.done(t, held)
	if u := l.Usage(); len(l.segments) != 1 || u.Waiting != 0 || u.Bytes > 4096+1024 {
		t.Errorf("%d segments, %+v", len(l.segments), u)
	}
	files, err := segmentsIn(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}

// MS7: a crash at any byte. What was acknowledged before is there, in order; the rest is
// cut, told, and the log goes on.
func TestTornAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	var ends []int64 // of the file after each entry
	var bodies []string
	const done = 5 // taken while the others were written
	for i := range 12 {
		body := fmt.Sprintf("entry %d %s", i, bytes.Repeat([]byte{byte(i), 'E', 'D', 0}, i))
		bodies = append(bodies, body)
		seq := l.put(t, body)
		ends = append(ends, l.active().size)
		if i == done {
			l.done(t, seq)
		}
	}
	path := l.active().path
	l.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, filepath.Base(path)), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l, damages := open(t, small(torn))
		var want []string
		complete := int64(headerBytes)
		for i, end := range ends {
			if end <= int64(cut) {
				complete = end
				want = append(want, bodies[i])
			}
		}
		// That one was done may be lost with the tail: it comes again, or not.
		isDone := func(body string) bool { return body == bodies[done] }
		got := l.waiting(t)
		if !slices.Equal(slices.DeleteFunc(slices.Clone(got), isDone), slices.DeleteFunc(want, isDone)) {
			t.Fatalf("cut at %d: %q, want %q", cut, got, want)
		}
		for _, d := range damages {
			if !d.Torn || d.From < complete {
				t.Fatalf("cut at %d: %+v", cut, d)
			}
		}
		l.put(t, "goes on")
		l.Close()
		l, _ = open(t, small(torn))
		expect(t, l.waiting(t), append(got, "goes on")...)
		l.Close()
	}
}

// Bytes that go bad in the middle cost only their own entry, and are kept aside.
func TestDamageInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	l.put(t, "first", "second", "third")
	path := l.active().path
	l.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("second"))] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	l, damages := open(t, small(dir))
	expect(t, l.waiting(t), "first", "third")
	if len(damages) != 1 || damages[0].Torn || damages[0].Err != nil {
		t.Fatalf("%+v", damages)
	}
	if kept, err := os.ReadFile(damages[0].Kept); err != nil || !bytes.Contains(kept, []byte("econd")) {
		t.Errorf("%q %v", kept, err)
	}
	// While the log is open, too.
	if _, err := l.segments[0].file.WriteAt([]byte{0xff}, int64(l.segments[0].offsets[2])+prefixBytes); err != nil {
		t.Fatal(err)
	}
	if list, err := l.After(0, 10); err != nil || len(list) != 2 || !errors.Is(list[1].Err, ErrDamaged) {
		t.Errorf("%+v %v", list, err)
	}
}

// A full disk is an error of the one who appends; what was there stays, can be taken,
// and there is room again afterwards.
func TestFullDisk(t *testing.T) {
	l, _ := open(t, small(t.TempDir()))
	seq := l.put(t, "before")
	file := l.active().file
	noRoom, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer noRoom.Close()
	l.active().file = noRoom
	if _, err := l.Append(true, []byte("too much")); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	l.active().file = file
	expect(t, l.waiting(t), "before")
	l.put(t, "after")
	l.done(t, seq)
	expect(t, l.waiting(t), "after")
}

// An fsync that fails takes its entries back, and those written behind it; the log goes
// on in a new segment.
func TestFailedSync(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	l.put(t, "before")
	file := l.active().file
	noSync, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.active().file = noSync
	if _, err := l.Append(true, []byte("lost")); err == nil || errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	l.segments[0].file = file
	noSync.Close()
	l.put(t, "after")
	expect(t, l.waiting(t), "before", "after")
	l.Close()
	l, _ = open(t, small(dir))
	expect(t, l.waiting(t), "before", "after")
}

// The size is bounded, and what is essential has room that the rest has not.
func TestBounded(t *testing.T) {
	l, _ := open(t, Config{Dir: t.TempDir(), SegmentBytes: 4096, MaxBytes: 32 << 10})
	body := bytes.Repeat([]byte("x"), 1000)
	fill := func(essential bool) (n int) {
		for {
			_, err := l.Append(essential, body)
			if errors.Is(err, ErrFull) {
				return n
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	history, essential := fill(false), fill(true)
	if history < 25 || essential < 3 {
		t.Errorf("%d entries, and %d essential ones", history, essential)
	}
	if u := l.Usage(); u.Bytes > u.Max || u.Waiting != history+essential {
		t.Errorf("%+v", u)
	}
	for _, e := range first(t, l, history+essential) {
		l.done(t, e.Seq)
	}
	if n := fill(false); n < 20 {
		t.Errorf("room for %d after everything was taken", n)
	}
	if _, err := l.Append(true, make([]byte, MaxEntry+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func first(t *testing.T, l *Log, n int) []Entry {
	t.Helper()
	list, err := l.After(0, n)
	if err != nil || len(list) != n {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	return list
}

// Many append at once, across segments: each entry is there once, those of one writer in
// order.
func TestConcurrentAppends(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, small(dir))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if _, err := l.Append(true, fmt.Appendf(nil, "%d %03d %s", w, i, bytes.Repeat([]byte("x"), 100))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	l.Close()
	l, _ = open(t, small(dir))
	next := map[int]int{}
	for _, body := range l.waiting(t) {
		var w, i int
		if _, err := fmt.Sscanf(body, "%d %d", &w, &i); err != nil || next[w] != i {
			t.Fatalf("%q where %d of writer %d was due", body, next[w], w)
		}
		next[w]++
	}
	for w := range 8 {
		if next[w] != 50 {
			t.Errorf("writer %d: %d entries", w, next[w])
		}
	}
}

// SE4: whatever is in the folder, opening neither crashes nor loses what is whole.
func FuzzOpen(f *testing.F) {
	good := append(header(1), appendFrame(appendFrame(nil, frame{entryFrame, 1, []byte("one")}), frame{entryFrame, 2, []byte("two")})...)
	good = append(good, appendFrame(nil, marksOf([]uint64{1}))...)
	f.Add(good, uint16(20), byte(1))
	f.Add(good[:30], uint16(0), byte(0))
	f.Add([]byte("CJ99 of another time"), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, xor byte) {
		if int(at) < len(b) {
			b[at] ^= xor
		}
		dir := t.TempDir()
		if err := os.WriteFile(pathOf(dir, 1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, _, err := Open(small(dir))
		if err != nil {
			return // it says why; nothing was removed
		}
		before := l.waiting(t)
		l.put(t, "new")
		l.Close()
		l, _ = open(t, small(dir))
		if after := l.waiting(t); !slices.Equal(after, append(before, "new")) {
			t.Errorf("%q, then %q", before, after)
		}
		l.Close()
	})
}
