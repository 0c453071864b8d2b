package recording

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// recoverSegment finishes the segment in a folder whose node has died, and returns what it has
// become. One that has ended as it should is left as it is.
func recoverSegment(root *os.Root, folder string) (contents, error) {
	fail := func(err error) (contents, error) {
		return contents{}, fmt.Errorf("finish the recording in %s: %w", folder, err)
	}
	c, err := readNote(root, folder)
	if err != nil {
		return fail(err)
	}
	if !c.Segment.EndedAt.IsZero() {
		c.Segment.Tracks, err = tracksIn(root, folder)
		return c, err
	}
	if err := repairAll(root, folder, &c.Segment); err != nil {
		return fail(err)
	}
	c.Segment.Reason = store.RecordingNodeFailure
	if err := writeNote(root, folder, c); err != nil {
		return fail(err)
	}
	return c, nil
}

func readNote(root *os.Root, folder string) (c contents, err error) {
	text, err := root.ReadFile(path.Join(folder, noteName))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("read what segment it is: %w", err)
	}
	return c, nil
}

// writeNote writes over the one that there is, which has the same size.
func writeNote(root *os.Root, folder string, c contents) (err error) {
	f, err := root.OpenFile(path.Join(folder, noteName), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	n := note{file: f, contents: c}
	return errors.Join(n.write(), f.Sync(), f.Close())
}

// tracksIn are the participants who have a file in a folder.
func tracksIn(root *os.Root, folder string) ([]store.ParticipantID, error) {
	entries, err := fs.ReadDir(root.FS(), folder)
	if err != nil {
		return nil, err
	}
	var ids []store.ParticipantID
	for _, e := range entries {
		if name, ok := audioName(e.Name()); ok && name != mixName {
			ids = append(ids, store.ParticipantID(name))
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// audioName is the name of an audio file without its format.
func audioName(file string) (name string, ok bool) {
	format := strings.TrimPrefix(path.Ext(file), ".")
	return strings.TrimSuffix(file, "."+format), format == string(store.FormatWAV) || format == string(store.FormatOgg)
}

// repairAll makes the files of a folder whole, and says in s what there is.
func repairAll(root *os.Root, folder string, s *store.RecordingSegment) error {
	entries, err := fs.ReadDir(root.FS(), folder)
	if err != nil {
		return err
	}
	s.Octets, s.EndedAt = 0, s.StartedAt
	for _, e := range entries {
		name, ok := audioName(e.Name())
		if !ok {
			continue
		}
		size, length, changed, err := repair(root, path.Join(folder, e.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		s.Octets += size
		if name == mixName {
			s.Length = length
			if changed.After(s.StartedAt) {
				s.EndedAt = changed.UTC().Truncate(time.Microsecond)
			}
		} else {
			s.Tracks = append(s.Tracks, store.ParticipantID(name))
		}
	}
	slices.Sort(s.Tracks)
	return nil
}

// repair makes a file whole, and says how large and long it is, and when it was written
// last.
func repair(root *os.Root, name string) (size int64, length time.Duration, changed time.Time, err error) {
	f, err := root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, 0, changed, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, changed, err
	}
	if path.Ext(name) == "."+string(store.FormatOgg) {
		size, length, err = repairOgg(f)
	} else {
		size, length, err = repairWAV(f, info.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	return size, length, info.ModTime(), err
}

// repairWAV corrects the lengths in the header. A file without a whole header gets none:
// there is no audio in it.
func repairWAV(f *os.File, size int64) (int64, time.Duration, error) {
	var h [wavHead]byte
	if size < wavHead {
		return size, 0, nil
	}
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return 0, 0, err
	}
	audio := (size - wavHead) &^ 1
	setWAVLength(h[:], audio)
	if _, err := f.WriteAt(h[:], 0); err != nil {
		return 0, 0, err
	}
	bytesPerSecond := max(int64(binary.LittleEndian.Uint32(h[28:])), 1)
	return wavHead + audio, time.Duration(audio/2) * time.Second / time.Duration(bytesPerSecond/2), f.Truncate(wavHead + audio)
}

// repairOgg cuts off what is behind the last whole page, and marks that as the last.
func repairOgg(f *os.File) (int64, time.Duration, error) {
	var at, lastAt int64
	var last []byte
	buffer := make([]byte, oggMax)
	for {
		n, err := f.ReadAt(buffer, at)
		if err != nil && err != io.EOF {
			return 0, 0, err
		}
		page, ok := nextPage(buffer[:n])
		if !ok {
			break
		}
		last, lastAt = append(last[:0], page...), at
		at += int64(len(page))
	}
	if err := f.Truncate(at); err != nil || last == nil {
		return at, 0, err
	}
	last[5] |= oggEnd
	sealPage(last)
	if _, err := f.WriteAt(last, lastAt); err != nil {
		return 0, 0, err
	}
	samples := max(int64(binary.LittleEndian.Uint64(last[6:]))-lookahead, 0)
	return at, time.Duration(samples) * time.Second / opusRate, nil
}
