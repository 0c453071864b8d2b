package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"
)

// deadLetter is a record that the store will not take.
type deadLetter struct {
	Dead   time.Time `json:"dead"`
	Reason string    `json:"reason"`
	// Why and By are there when an operator has discarded it.
	Why    string          `json:"why,omitempty"`
	By     string          `json:"by,omitempty"`
	Record json.RawMessage `json:"record,omitempty"`
	Bytes  []byte          `json:"bytes,omitempty"` // of a record that is no JSON
}

// deadLetters is the file that they are kept in, one JSON object on a line.
type deadLetters struct{ path string }

// add keeps a record, and returns when it is on the disk.
func (d deadLetters) add(now time.Time, reason error, text []byte) error {
	letter := deadLetter{Dead: now.UTC(), Reason: reason.Error()}
	if json.Valid(text) {
		letter.Record = text
	} else {
		letter.Bytes = text
	}
	return appendLine(d.path, letter)
}

// appendLine adds a letter to a file, and returns when it is on the disk.
func appendLine(path string, letter deadLetter) error {
	line, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return f.Sync()
}

// replace writes the file anew, with these. The old one is there until the new one is on
// the disk.
func (d deadLetters) replace(letters []deadLetter) error {
	f, err := os.OpenFile(d.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewWriter(f)
	e := json.NewEncoder(lines)
	for _, l := range letters {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	if err := errors.Join(lines.Flush(), f.Sync()); err != nil {
		return err
	}
	return os.Rename(f.Name(), d.path)
}

// count is how many there are.
func (d deadLetters) count() (n int, err error) {
	err = read(d.path, func(deadLetter) error { n++; return nil })
	return n, err
}

// read gives the letters of a file in order. A last line that a crash has torn is left
// out: its record is still in the log.
func read(path string, each func(deadLetter) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil
		}
		var l deadLetter
		if json.Unmarshal(line, &l) != nil {
			continue // torn in the middle of the file: what was written behind it
		}
		if err := each(l); err != nil {
			return err
		}
	}
}
