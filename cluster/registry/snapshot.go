package registry

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
)

// A snapshot is a magic word, a version, and records: each its length, its type and
// its fields. The last record says how many came before it, so that a snapshot that
// was cut short is not taken for a smaller one.
const (
	snapshotMagic   = "conclave-registry"
	snapshotVersion = 1
)

type record byte

const (
	recordHead    record = 'h'
	recordNode    record = 'n'
	recordRoom    record = 'r'
	recordDialog  record = 'd'
	recordOrder   record = 'o'
	recordSession record = 's'
	recordResult  record = 'q'
	recordEnd     record = 'e'
)

// WriteTo writes a snapshot. Equal states give equal bytes.
func (s *State) WriteTo(w io.Writer) (int64, error) {
	out := &recordWriter{w: w}
	out.write(append([]byte(snapshotMagic), snapshotVersion))
	out.record(recordHead, func(e *encoder) {
		e.uint(s.index)
		e.uint(s.epoch)
		e.string(s.group)
	})
	for _, n := range sorted(s.nodes) {
		out.record(recordNode, func(e *encoder) {
			e.instance(n.Instance)
			e.addresses(n.Addresses)
			e.bool(n.Draining)
			e.bool(n.Gone)
			e.bool(n.Left)
			e.uint(n.touched)
		})
	}
	for _, a := range sorted(s.rooms) {
		out.record(recordRoom, func(e *encoder) { e.assignment(a) })
	}
	for _, d := range sorted(s.dialogs) {
		out.record(recordDialog, func(e *encoder) { e.dialog(d) })
	}
	for _, o := range s.Orders() {
		out.record(recordOrder, o.encode)
	}
	for node, session := range sorted(s.sessions) {
		out.session(node, session)
	}
	count := out.records
	out.record(recordEnd, func(e *encoder) { e.uint(uint64(count)) })
	if out.err != nil {
		return out.written, fmt.Errorf("writing the snapshot: %w", out.err)
	}
	return out.written, nil
}

// sorted goes through a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

type recordWriter struct {
	w       io.Writer
	written int64
	records int
	err     error
}

func (w *recordWriter) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.written += int64(n)
	w.err = err
}

func (w *recordWriter) record(t record, fill func(*encoder)) {
	e := &encoder{}
	e.byte(byte(t))
	fill(e)
	w.write(append(binary.AppendUvarint(nil, uint64(len(e.buf))), e.buf...))
	w.records++
}

func (w *recordWriter) session(node string, s *session) {
	w.record(recordSession, func(e *encoder) {
		e.instance(Instance{Node: node, Incarnation: s.incarnation})
		e.uint(s.highest)
		e.uint(s.dialogs)
		e.uint(s.touched)
	})
	for seq, result := range sorted(s.results) {
		w.record(recordResult, func(e *encoder) {
			e.string(node)
			e.uint(seq)
			e.result(result)
		})
	}
}

// Restore reads a snapshot of this or an earlier version.
func Restore(r io.Reader) (*State, error) {
	s, err := restore(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("reading the snapshot: %w", err)
	}
	return s, nil
}

func restore(r *bufio.Reader) (*State, error) {
	head := make([]byte, len(snapshotMagic)+1)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, noEOF(err)
	}
	if string(head[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("this is not a snapshot of a registry")
	}
	if v := head[len(snapshotMagic)]; v != snapshotVersion {
		return nil, fmt.Errorf("version %d: %w", v, ErrVersion)
	}
	s := New()
	for n := uint64(0); ; n++ {
		d, err := readRecord(r)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", n, err)
		}
		t := record(d.byte())
		if t == recordEnd {
			return s, checkEnd(d, n)
		}
		s.restoreRecord(t, d)
		if err := d.done(); err != nil {
			return nil, fmt.Errorf("record %d of type %q: %w", n, t, err)
		}
	}
}

func readRecord(r *bufio.Reader) (*decoder, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, noEOF(err)
	}
	if size > maxRecord {
		return nil, fmt.Errorf("%d bytes long; at most %d", size, maxRecord)
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, noEOF(err)
	}
	return &decoder{buf: buf}, nil
}

// noEOF makes an end in the middle an error that no caller takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errShort
	}
	return err
}

func checkEnd(d *decoder, records uint64) error {
	count := d.uint()
	if err := d.done(); err != nil {
		return err
	}
	if count != records {
		return fmt.Errorf("%d records where %d were written", records, count)
	}
	return nil
}

func (s *State) restoreRecord(t record, d *decoder) {
	switch t {
	case recordHead:
		s.index, s.epoch, s.group = d.uint(), d.uint(), d.string()
	case recordNode:
		n := Node{Instance: d.instance(), Addresses: d.addresses(), Draining: d.bool(),
			Gone: d.bool(), Left: d.bool(), touched: d.uint()}
		s.nodes[n.Node] = n
	case recordRoom:
		a := d.assignment()
		s.rooms[a.Room] = a
	case recordDialog:
		dialog := d.dialog()
		s.dialogBytes += len(dialog.State) - len(s.dialogs[dialog.Call].State)
		s.dialogs[dialog.Call] = dialog
	case recordOrder:
		o := d.order()
		s.orders[o.key()] = o
	case recordSession:
		i := d.instance()
		session := newSession(i.Incarnation)
		session.highest, session.dialogs, session.touched = d.uint(), d.uint(), d.uint()
		s.sessions[i.Node] = session
	case recordResult:
		session, ok := s.sessions[d.string()]
		if !ok {
			d.fail(fmt.Errorf("a result without its session"))
			return
		}
		session.results[d.uint()] = d.result()
	default:
		d.fail(fmt.Errorf("type %q: %w", t, ErrVersion))
	}
}
