package recording

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/store"
)

// noteSize is what segment.json has from the beginning on, in octets: it is written over
// when the segment ends, and needs no space then.
const noteSize = 16 << 10

// maxDetail bounds the error in it.
const maxDetail = 1000

// gap is where audio is missing, in seconds from the segment's beginning.
type gap struct {
	At     float64
	Length float64
}

// contents are those of segment.json. Segment.Tracks is not in it: the files are.
type contents struct {
	Recording store.Recording
	Segment   store.RecordingSegment
	Gaps      []gap `json:",omitempty"` // the first ones
}

// note is the segment.json that is being kept.
type note struct {
	file handle
	contents
}

func createNote(d disk, name string, r store.Recording, s store.RecordingSegment) (*note, error) {
	f, err := d.create(name)
	if err != nil {
		return nil, fmt.Errorf("begin a recording: %w", err)
	}
	n := &note{file: f, contents: contents{Recording: r, Segment: s}}
	if err := n.write(); err != nil {
		return nil, errors.Join(fmt.Errorf("begin a recording: %w", err), f.Close())
	}
	return n, nil
}

// end writes how the segment ended, and closes the file.
func (n *note) end(s store.RecordingSegment, gaps []gap) error {
	n.Segment, n.Gaps = s, gaps
	return errors.Join(n.write(), n.file.Sync(), n.file.Close())
}

func (n *note) write() error {
	text, err := n.encode()
	if err != nil {
		return err
	}
	_, err = n.file.WriteAt(text, 0)
	return err
}

// encode is the text, filled up with spaces.
func (c contents) encode() ([]byte, error) {
	c.Segment.Tracks = nil
	c.Segment.Detail = c.Segment.Detail[:min(len(c.Segment.Detail), maxDetail)]
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	padded := make([]byte, max(noteSize, len(text)+1))
	for i := range padded {
		padded[i] = ' '
	}
	copy(padded, text)
	padded[len(padded)-1] = '\n'
	return padded, nil
}
