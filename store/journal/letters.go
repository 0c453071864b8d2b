package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// What operators see of dead letters and do with them.

// DeadLetter is a record that the store has refused for good.
type DeadLetter struct {
	ID     string    // names it among the dead letters of this node
	Dead   time.Time // when it was put aside
	Reason string    // what the store said
	Made   time.Time // the record, and what it is; zero if it cannot be read
	Kind   string
	Key    string
	Record json.RawMessage // whole; nil if it is no JSON
}

// id is the beginning of the letter's hash.
func (l deadLetter) id() string {
	hash := sha256.New()
	fmt.Fprintln(hash, l.Dead.UnixNano(), l.Reason)
	hash.Write(l.Record)
	hash.Write(l.Bytes)
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// keepDead makes a dead letter of a record.
func (j *Journal) keepDead(reason error, text []byte) error {
	j.letters.Lock()
	defer j.letters.Unlock()
	if err := j.dead.add(j.clock.Now(), reason, text); err != nil {
		return err
	}
	j.deadNow.Add(1)
	return nil
}

// DeadLetters are those of this node, the oldest first, at most so many.
func (j *Journal) DeadLetters(most int) ([]DeadLetter, error) {
	j.letters.Lock()
	defer j.letters.Unlock()
	list := []DeadLetter{}
	err := read(j.dead.path, func(l deadLetter) error {
		if len(list) == most {
			return nil
		}
		d := DeadLetter{ID: l.id(), Dead: l.Dead, Reason: l.Reason, Record: l.Record}
		if r, err := decode(l.Record); err == nil {
			d.Made, d.Kind, d.Key = r.At, r.Kind, r.Key
		}
		list = append(list, d)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	return list, nil
}

// Requeue puts dead letters back into the journal, behind what waits, and returns how
// many; no ids are all that can be read. A record that still cannot be delivered becomes a
// dead letter again. by is who wants it so.
func (j *Journal) Requeue(ids []string, by string) (int, error) {
	return j.settle(ids, func(l deadLetter) error {
		r, err := decode(l.Record)
		if err != nil {
			if len(ids) == 0 {
				return errStays
			}
			return fmt.Errorf("%w: dead letter %s: %w; discard it, or requeue it with the program that wrote it", store.ErrInvalid, l.id(), err)
		}
		if err := j.put(true, r.Key, r.body, l.Record); err != nil {
			return err
		}
		j.logger.Info("dead letter requeued", "id", l.id(), "kind", r.Kind, "key", r.Key, "by", by)
		return nil
	})
}

// discardedFile keeps the dead letters that were given up.
const discardedFile = "discarded-letters.jsonl"

// Discard gives dead letters up that will never be delivered, and returns how many. They
// are kept in discarded-letters.jsonl, with who wanted it so, and why.
func (j *Journal) Discard(ids []string, why, by string) (int, error) {
	if len(ids) == 0 || why == "" {
		return 0, fmt.Errorf("%w: name the dead letters to discard, and say why", store.ErrInvalid)
	}
	return j.settle(ids, func(l deadLetter) error {
		id := l.id()
		l.Why, l.By = why, by
		if err := appendLine(filepath.Join(j.config.Dir, discardedFile), l); err != nil {
			return err
		}
		j.logger.Warn("dead letter discarded", "id", id, "refused", l.Reason, "why", why, "by", by)
		return nil
	})
}

// errStays: this dead letter stays where it is.
var errStays = errors.New("the dead letter stays")

// settle does something with the dead letters of the ids, or with all, and takes those out
// that it was done with, up to the first that it fails with. After a crash in between it
// may be done again, which changes nothing: records count once.
func (j *Journal) settle(ids []string, do func(deadLetter) error) (n int, err error) {
	j.letters.Lock()
	defer j.letters.Unlock()
	var keep []deadLetter
	missing := slices.Clone(ids)
	var failed error
	err = read(j.dead.path, func(l deadLetter) error {
		id := l.id()
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == id })
		if failed == nil && (len(ids) == 0 || slices.Contains(ids, id)) {
			err := do(l)
			if err == nil {
				n++
				return nil
			}
			if !errors.Is(err, errStays) {
				failed = err
			}
		}
		keep = append(keep, l)
		return nil
	})
	if err == nil && n > 0 {
		err = j.dead.replace(keep)
		j.deadNow.Store(int64(len(keep)))
	}
	if len(missing) > 0 {
		failed = errors.Join(failed, fmt.Errorf("%q: %w", missing, store.ErrNotFound))
	}
	if err = errors.Join(err, failed); err != nil {
		return n, fmt.Errorf("dead letters: %w", err)
	}
	return n, nil
}
