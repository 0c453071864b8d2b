package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// deadLetter is a record that the store will not take.
type deadLetter struct {
	Dead   time.Time       `json:"dead"`
	Reason string          `json:"reason"`
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
	line, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(d.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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

// Requeue puts all dead letters back into the journal, behind what waits, and returns how
// many. The file is kept beside it under another name. A record that still cannot be
// delivered becomes a dead letter again.
func (j *Journal) Requeue() (n int, err error) {
	j.requeue.Lock()
	defer j.requeue.Unlock()
	aside := filepath.Join(j.config.Dir, "requeued-"+j.clock.Now().UTC().Format("20060102T150405.000000Z")+".jsonl")
	if err := os.Rename(j.dead.path, aside); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		return 0, fmt.Errorf("requeue dead letters: %w", err)
	}
	j.deadNow.Store(0)
	err = read(aside, func(l deadLetter) error {
		r, err := decode(l.Record)
		if err != nil {
			j.logger.Error("dead letter left where it is", "file", aside, "error", err)
			return nil
		}
		n++
		return j.put(true, r.Key, r.body, l.Record)
	})
	if err != nil {
		return n, fmt.Errorf("requeue dead letters of %s: %w", aside, err)
	}
	return n, nil
}
