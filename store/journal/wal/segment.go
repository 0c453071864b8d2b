package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const extension = ".segment"

// segment is one file of the log.
type segment struct {
	path  string
	file  *os.File
	first uint64 // sequence number of its first entry
	size  int64
	// offsets of its entries, whose numbers count up from first without gaps; 0 for
	// one that is lost or done.
	offsets []uint32
	waiting int // entries that are not done
}

func pathOf(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", first, extension))
}

// create makes an empty segment, and sees to it that its name is on the disk.
func create(dir string, first uint64) (*segment, error) {
	s := &segment{path: pathOf(dir, first), first: first, size: int64(headerBytes)}
	var err error
	if s.file, err = os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if _, err = s.file.Write(header(first)); err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (s *segment) remove() error { return errors.Join(s.file.Close(), os.Remove(s.path)) }

// end is the sequence number after that of its last entry.
func (s *segment) end() uint64 { return s.first + uint64(len(s.offsets)) }

// write adds frames, or leaves the segment as it was.
func (s *segment) write(b []byte) error {
	n, err := s.file.WriteAt(b, s.size)
	if err != nil && n > 0 {
		err = errors.Join(err, s.file.Truncate(s.size))
	}
	if err == nil {
		s.size += int64(len(b))
	}
	return err
}

// entry reads an entry.
func (s *segment) entry(offset uint32, seq uint64) ([]byte, error) {
	var prefix [prefixBytes]byte
	if _, err := s.file.ReadAt(prefix[:], int64(offset)); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(prefix[:])
	if n > MaxEntry {
		return nil, fmt.Errorf("%w: length %d at %d", ErrDamaged, n, offset)
	}
	b := make([]byte, prefixBytes+int(n))
	if _, err := s.file.ReadAt(b, int64(offset)); err != nil {
		return nil, err
	}
	f, ok := readFrame(b)
	if !ok || f.kind != entryFrame || f.number != seq {
		return nil, fmt.Errorf("%w: entry %d at %d", ErrDamaged, seq, offset)
	}
	return f.body, nil
}

// done marks an entry, and says whether it was waiting.
func (s *segment) done(seq uint64) bool {
	i := seq - s.first
	if seq < s.first || i >= uint64(len(s.offsets)) || s.offsets[i] == 0 {
		return false
	}
	s.offsets[i] = 0
	s.waiting--
	return true
}

// load reads a segment that an earlier run left, cuts off what is torn, and keeps what
// is damaged aside. It returns what the segment says of other entries, too.
func load(path string, first uint64, damage func(Damage)) (*segment, []uint64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if len(b) >= headerBytes && string(b[:2]) == magic[:2] && string(b[:len(magic)]) != magic {
		return nil, nil, fmt.Errorf("%s: the format %q is not known; let the version of the program that wrote it deliver it first", path, b[:len(magic)])
	}
	c := parse(b)
	s := &segment{path: path, first: first, size: int64(c.end)}
	var marks []uint64
	for i, f := range c.frames {
		if f.kind == marksFrame {
			marks = append(marks, f.marks()...)
			continue
		}
		if f.number < s.end() {
			return nil, nil, fmt.Errorf("%s: %w: entry %d where %d or more was expected; was the folder put together from two?", path, ErrDamaged, f.number, s.end())
		}
		if lost := f.number - s.end(); lost > uint64(len(b)/prefixBytes) {
			return nil, nil, fmt.Errorf("%s: %w: entry %d comes after %d", path, ErrDamaged, f.number, s.end())
		}
		for s.end() < f.number {
			s.offsets = append(s.offsets, 0)
		}
		s.offsets = append(s.offsets, uint32(c.offsets[i]))
		s.waiting++
	}
	for _, g := range c.gaps {
		damage(keepAside(path, "damaged", b, g.from, g.to))
	}
	if c.end < len(b) {
		damage(keepAside(path, "torn", b, c.end, len(b)))
		if err := os.Truncate(path, int64(c.end)); err != nil {
			return nil, nil, err
		}
	}
	if s.file, err = os.OpenFile(path, os.O_RDWR, 0); err == nil && len(b) < headerBytes {
		s.size = int64(headerBytes)
		_, err = s.file.WriteAt(header(first), 0)
	}
	return s, marks, err
}

// keepAside copies bytes that are no frames to a file beside the segment. A torn tail
// is the normal end of a crash: only its place is told.
func keepAside(path, what string, b []byte, from, to int) Damage {
	d := Damage{Segment: path, From: int64(from), To: int64(to), Torn: what == "torn"}
	if !d.Torn {
		d.Kept = fmt.Sprintf("%s.%s-%d", path, what, from)
		if _, err := os.Stat(d.Kept); errors.Is(err, fs.ErrNotExist) {
			d.Err = os.WriteFile(d.Kept, b[from:to], 0o600)
		}
	}
	return d
}

// segmentsIn lists the segments of a folder by their first number.
func segmentsIn(dir string) ([]uint64, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), extension)
		first, err := strconv.ParseUint(name, 16, 64)
		if ok && err == nil && len(name) == 16 {
			list = append(list, first)
		}
	}
	slices.Sort(list)
	return list, nil
}
