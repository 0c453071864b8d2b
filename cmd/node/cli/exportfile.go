package cli

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// exportToFile writes an export to a file, or goes on with one.
func exportToFile(t task, q query, format, name string, resume bool) (err error) {
	mode := os.O_RDWR | os.O_CREATE | os.O_EXCL
	if resume {
		mode = os.O_RDWR
	}
	f, err := os.OpenFile(name, mode, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return fmt.Errorf("--file %s is there already: choose another name, or go on with it with --resume", name)
	case err != nil:
		return fmt.Errorf("--file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if resume {
		last, err := cutTorn(f, format)
		if err != nil {
			return fmt.Errorf("--resume %s: %w", name, err)
		}
		q.add("after", last)
	}
	if err := t.node.Stream(t, "/xdrs/export", q.Values, f); err != nil {
		return fmt.Errorf("%w\n(%s holds the records so far; go on with --resume)", err, name)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	return nil
}

// cutTorn cuts a record that is not whole off the end of a file, leaves the position
// there, and returns the id of the last record; empty if there is none.
func cutTorn(f *os.File, format string) (last string, err error) {
	last, whole, err := wholeRecords(f, format)
	if err != nil {
		return "", err
	}
	if err := f.Truncate(whole); err != nil {
		return "", fmt.Errorf("cut the torn end off: %w", err)
	}
	if _, err := f.Seek(whole, io.SeekStart); err != nil {
		return "", fmt.Errorf("go to the end: %w", err)
	}
	return last, nil
}

// wholeRecords finds the last record that ends in a line break, and where it ends.
func wholeRecords(f io.ReaderAt, format string) (last string, end int64, err error) {
	all := io.NewSectionReader(f, 0, math.MaxInt64)
	if format == "jsonl" {
		return wholeLines(all)
	}
	lines := csv.NewReader(bufio.NewReader(all))
	for first := true; ; first = false {
		row, err := lines.Read()
		if err != nil || !endsLine(f, lines.InputOffset()) {
			break // the end, or a torn record
		}
		switch {
		case !first:
			last, end = row[0], lines.InputOffset()
		case row[0] != "id":
			return "", 0, fmt.Errorf("it does not look like an export of usage records: its first column is %q", row[0])
		}
	}
	return last, end, nil // without a record the head is written anew
}

// endsLine says whether there is a line break before offset.
func endsLine(f io.ReaderAt, offset int64) bool {
	var b [1]byte
	_, err := f.ReadAt(b[:], offset-1)
	return err == nil && b[0] == '\n'
}

func wholeLines(r io.Reader) (last string, end int64, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return last, end, nil // the end, or a torn line
		}
		var record struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &record); err != nil || record.ID == "" {
			return "", 0, fmt.Errorf("it does not look like an export of usage records: behind byte %d there is no record", end)
		}
		last, end = record.ID, end+int64(len(line))
	}
}
