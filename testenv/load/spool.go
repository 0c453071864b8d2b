package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// spool writes the frames that a listener is sent to a file, as they come: an index of 8
// octets, a length of 2, the payload. Nothing is decoded while callers are measured.
type spool struct {
	seat   *seat
	begin  time.Time // when the first came
	file   *os.File
	buffer *bufio.Writer
	err    error // the first; the rest is not written
}

func openSpool(s *seat, dir string) *spool {
	f, err := os.CreateTemp(dir, "heard-")
	if err != nil {
		return &spool{seat: s, err: err}
	}
	return &spool{seat: s, file: f, buffer: bufio.NewWriterSize(f, 32<<10)}
}

// add takes the frame of an index, which counts frames since the first.
func (s *spool) add(index int64, payload []byte, at time.Time) {
	if s.begin.IsZero() {
		s.begin = at
	}
	if s.err != nil {
		return
	}
	var head [10]byte
	binary.LittleEndian.PutUint64(head[:], uint64(index))
	binary.LittleEndian.PutUint16(head[8:], uint16(len(payload)))
	_, headErr := s.buffer.Write(head[:])
	_, err := s.buffer.Write(payload)
	s.err = errors.Join(headErr, err)
}

// finish writes the rest, once.
func (s *spool) finish() {
	if s.file != nil {
		s.err = errors.Join(s.err, s.buffer.Flush(), s.file.Close())
	}
}

// read returns the frames, by index.
func (s *spool) read() (map[int64][]byte, error) {
	if s.err != nil {
		return nil, fmt.Errorf("keep what %v heard: %w", s.seat, s.err)
	}
	f, err := os.Open(s.file.Name())
	if err != nil {
		return nil, fmt.Errorf("read what %v heard: %w", s.seat, err)
	}
	defer f.Close()
	frames, in := map[int64][]byte{}, bufio.NewReader(f)
	for {
		var head [10]byte
		_, err := io.ReadFull(in, head[:])
		if err == io.EOF {
			return frames, nil
		}
		payload := make([]byte, binary.LittleEndian.Uint16(head[8:]))
		_, bodyErr := io.ReadFull(in, payload)
		if err = errors.Join(err, bodyErr); err != nil {
			return nil, fmt.Errorf("read what %v heard: %w", s.seat, err)
		}
		frames[int64(binary.LittleEndian.Uint64(head[:]))] = payload
	}
}

// remove deletes the file.
func (s *spool) remove() {
	if s.file != nil {
		os.Remove(s.file.Name())
	}
}
