package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

var (
	// ErrFull: the disk is full, or the log has the size that it may have. What it
	// holds is unharmed; there is room again once entries are done.
	ErrFull = errors.New("the log is full")
	// ErrClosed: the log has been closed.
	ErrClosed = errors.New("the log is closed")
	// ErrDamaged: bytes on the disk are not what was written.
	ErrDamaged = errors.New("damaged")
	// ErrInUse: another process has the log open.
	ErrInUse = errors.New("the log is in use by another process")
	// ErrTooLarge: an entry above MaxEntry.
	ErrTooLarge = errors.New("the entry is too large")
)

// Config is how a log is kept.
type Config struct {
	// Dir is the log's folder, made if need be. One process at a time may use it.
	Dir string
	// SegmentBytes is the size at which a new segment begins; 8 MiB if 0, at most 1 GiB.
	SegmentBytes int64
	// MaxBytes bounds the whole log; 1 GiB if 0. Entries that are not essential are
	// refused above 7/8 of it.
	MaxBytes int64
}

func (c *Config) complete() error {
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 8 << 20
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	switch {
	case c.Dir == "":
		return errors.New("the log needs a folder")
	case c.SegmentBytes < 4096 || c.SegmentBytes > 1<<30:
		return fmt.Errorf("segments of %d bytes; write 4096 to 1073741824", c.SegmentBytes)
	case c.MaxBytes < 4*c.SegmentBytes:
		return fmt.Errorf("a log of %d bytes with segments of %d; it must have room for four", c.MaxBytes, c.SegmentBytes)
	}
	return nil
}

// Damage is what Open found that is no frame.
type Damage struct {
	Segment  string
	From, To int64  // bytes of the segment
	Torn     bool   // at the end: a crash while it was written
	Kept     string // a copy of the bytes; empty for what is torn
	Err      error  // why there is no copy
}

// Entry is one that waits.
type Entry struct {
	Seq  uint64
	Body []byte
	Err  error // ErrDamaged: it cannot be read any more, and there is no body
}

// Log is a log. It is safe for concurrent use.
type Log struct {
	config Config
	lock   *os.File

	mu       sync.Mutex
	segments []*segment // by number; the last one is written to
	bytes    int64      // of all segments
	marks    []uint64   // done, and not written yet
	batch    *batch     // of those who append now
	closed   bool

	syncing sync.Mutex // held by the one who syncs; taken before mu
}

// batch is what one fsync makes durable. It never reaches over two segments.
type batch struct {
	over bool // synced, or failed; guarded by Log.syncing, as is err
	err  error

	begun   bool  // something was written; guarded by Log.mu, as are those below
	from    int64 // where in the active segment it begins
	entries int   // how many entries the segment had then
}

// Open opens a log, or makes one, and repairs what a crash has torn. What it repaired
// it returns.
func Open(c Config) (*Log, []Damage, error) {
	if err := c.complete(); err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	l := &Log{config: c, batch: &batch{}}
	damages, err := l.open()
	if err != nil {
		l.release()
		return nil, damages, fmt.Errorf("open the log %s: %w", c.Dir, err)
	}
	return l, damages, nil
}

func (l *Log) open() (damages []Damage, err error) {
	if err := os.MkdirAll(l.config.Dir, 0o700); err != nil {
		return nil, err
	}
	if l.lock, err = os.OpenFile(filepath.Join(l.config.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrInUse, err)
	}
	firsts, err := segmentsIn(l.config.Dir)
	if err != nil {
		return nil, err
	}
	var marks []uint64
	next := uint64(1)
	for _, first := range firsts {
		if first < next {
			return damages, fmt.Errorf("segment %016x overlaps the one before: %w", first, ErrDamaged)
		}
		s, more, err := load(pathOf(l.config.Dir, first), first, func(d Damage) { damages = append(damages, d) })
		if err != nil {
			return damages, err
		}
		l.segments, marks = append(l.segments, s), append(marks, more...)
		l.bytes += s.size
		next = s.end()
	}
	for _, seq := range marks {
		if s := l.holding(seq); s != nil {
			s.done(seq)
		}
	}
	if err := l.tidy(true); err != nil {
		return damages, err
	}
	return damages, l.begin(next)
}

// begin starts a new segment.
func (l *Log) begin(next uint64) error {
	if n := len(l.segments); n > 0 && l.segments[n-1].first == next {
		return nil // the last one is empty: it is written on
	}
	s, err := create(l.config.Dir, next)
	if err != nil {
		return err
	}
	l.segments = append(l.segments, s)
	l.bytes += s.size
	return nil
}

// active is the segment that is written to.
func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

// holding is the segment of an entry, or nil.
func (l *Log) holding(seq uint64) *segment {
	i, found := slices.BinarySearchFunc(l.segments, seq, func(s *segment, seq uint64) int {
		switch {
		case s.end() <= seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return l.segments[i]
}

// Append adds entries, all or none, and returns their first sequence number once they
// are on the disk. Those that are not essential leave an eighth of the log to those
// that are. The error is ErrFull, or the disk's.
func (l *Log) Append(essential bool, bodies ...[]byte) (first uint64, err error) {
	var b *batch
	if err = l.rotate(); err == nil {
		first, b, err = l.write(essential, bodies)
	}
	if err == nil {
		err = l.commit(b)
	}
	if err != nil {
		return 0, fmt.Errorf("append to the log %s: %w", l.config.Dir, err)
	}
	return first, nil
}

// write hands entries to the operating system.
func (l *Log) write(essential bool, bodies [][]byte) (first uint64, b *batch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, nil, ErrClosed
	}
	s := l.active()
	first = s.end()
	buf := l.unwrittenMarks()
	marked := len(buf)
	var offsets []uint32
	for i, body := range bodies {
		if len(body) > MaxEntry {
			return 0, nil, fmt.Errorf("%w: %d bytes; at most %d", ErrTooLarge, len(body), MaxEntry)
		}
		offsets = append(offsets, uint32(s.size)+uint32(len(buf)))
		buf = appendFrame(buf, frame{entryFrame, first + uint64(i), body})
	}
	limit := l.config.MaxBytes
	if !essential {
		limit -= limit / 8
	}
	if l.bytes+int64(len(buf)) > limit {
		return 0, nil, fmt.Errorf("%w: %d of %d bytes are in use; the store has to take what waits", ErrFull, l.bytes, l.config.MaxBytes)
	}
	if !l.batch.begun {
		l.batch.begun, l.batch.from, l.batch.entries = true, s.size, len(s.offsets)
	}
	if err := s.write(buf); err != nil {
		return 0, nil, full(err)
	}
	if marked > 0 {
		l.marks = nil
	}
	l.bytes += int64(len(buf))
	s.offsets = append(s.offsets, offsets...)
	s.waiting += len(offsets)
	return first, l.batch, nil
}

// full says in our words that the disk is.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w; make room on the disk", ErrFull, err)
	}
	return err
}

// unwrittenMarks are the frames of what is done.
func (l *Log) unwrittenMarks() []byte {
	if len(l.marks) == 0 {
		return nil
	}
	var buf []byte
	for list := range slices.Chunk(l.marks, MaxEntry/8) {
		buf = appendFrame(buf, marksOf(list))
	}
	return buf
}

// rotate begins a new segment when the active one is full.
func (l *Log) rotate() error {
	l.mu.Lock()
	due := !l.closed && l.active().size >= l.config.SegmentBytes
	l.mu.Unlock()
	if !due {
		return nil
	}
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.active().size < l.config.SegmentBytes {
		return nil
	}
	s, b := l.active(), l.batch
	l.batch = &batch{}
	if err := l.synced(s, b, s.file.Sync()); err != nil {
		return err
	}
	return full(l.begin(s.end()))
}

// commit returns when the batch is on the disk. The first to come does it for all.
func (l *Log) commit(b *batch) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if b.over {
		return b.err
	}
	l.mu.Lock()
	s := l.active()
	l.batch = &batch{} // others write on meanwhile
	l.mu.Unlock()
	err := s.file.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced(s, b, err)
}

// synced says what became of a batch of the active segment. A batch whose fsync failed
// is taken back, with whatever was written behind it, which fails too; the log goes on
// in a new segment. Both locks are held.
func (l *Log) synced(s *segment, b *batch, err error) error {
	b.over = true
	if err == nil || !b.begun {
		return nil
	}
	next := s.end()
	for _, offset := range s.offsets[b.entries:] {
		if offset != 0 {
			s.waiting--
		}
	}
	s.offsets = s.offsets[:b.entries]
	l.bytes -= s.size - b.from
	s.size = b.from
	b.err = errors.Join(fmt.Errorf("fsync: %w", full(err)), s.file.Truncate(b.from), l.begin(next))
	l.batch.over, l.batch.err = true, b.err
	l.batch = &batch{}
	return b.err
}

// After returns the next entries that wait, at most n, whose numbers are above seq.
// Entries may be among them that are not on the disk yet.
func (l *Log) After(seq uint64, n int) ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Entry
	for _, s := range l.segments {
		if s.end() <= seq+1 || s.waiting == 0 {
			continue
		}
		from := max(seq+1, s.first)
		for i, offset := range s.offsets[from-s.first:] {
			if len(list) >= n {
				return list, nil
			}
			if offset == 0 {
				continue
			}
			number := from + uint64(i)
			body, err := s.entry(offset, number)
			if err != nil && !errors.Is(err, ErrDamaged) {
				return list, fmt.Errorf("read %s: %w", s.path, err)
			}
			list = append(list, Entry{number, body, err})
		}
	}
	return list, nil
}

// Done takes an entry away. It does not wait for the disk.
func (l *Log) Done(seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	s := l.holding(seq)
	if s == nil || !s.done(seq) {
		return nil
	}
	l.marks = append(l.marks, seq)
	if len(l.marks) >= marksAtOnce {
		l.writeMarks()
	}
	if err := l.tidy(false); err != nil {
		return fmt.Errorf("remove a segment of the log %s: %w", l.config.Dir, err)
	}
	return nil
}

// marksAtOnce is how many marks may be missing after a crash, if nothing is appended
// meanwhile.
const marksAtOnce = 128

// writeMarks writes what is done. If that fails, it is tried again with the next entry;
// at worst the entries are delivered again.
func (l *Log) writeMarks() {
	buf := l.unwrittenMarks()
	if len(buf) == 0 || l.active().write(buf) != nil {
		return
	}
	l.marks = nil
	l.bytes += int64(len(buf))
}

// tidy removes segments from the oldest on whose entries are all done; the active one
// only if all is true.
func (l *Log) tidy(all bool) error {
	for len(l.segments) > 0 && l.segments[0].waiting == 0 && (all || len(l.segments) > 1) {
		s := l.segments[0]
		if err := s.remove(); err != nil {
			return err
		}
		l.bytes -= s.size
		l.segments = l.segments[1:]
	}
	return nil
}

// Usage is how much there is.
type Usage struct {
	Waiting int   // entries
	Bytes   int64 // of all segments
	Max     int64
	Free    int64 // bytes that the disk has left for us; -1: not known
}

// Usage tells how full the log is.
func (l *Log) Usage() Usage {
	free := int64(-1)
	var disk syscall.Statfs_t
	if syscall.Statfs(l.config.Dir, &disk) == nil {
		free = int64(disk.Bavail) * disk.Bsize
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u := Usage{Bytes: l.bytes, Max: l.config.MaxBytes, Free: free}
	for _, s := range l.segments {
		u.Waiting += s.waiting
	}
	return u
}

// Close writes what is done and gives the folder free.
func (l *Log) Close() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.writeMarks()
	err := l.active().file.Sync()
	l.release()
	return err
}

// release closes the files.
func (l *Log) release() {
	for _, s := range l.segments {
		if s.file != nil {
			s.file.Close()
		}
	}
	if l.lock != nil {
		l.lock.Close()
	}
}
