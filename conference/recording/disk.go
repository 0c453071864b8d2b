package recording

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"

	"github.com/conclave-voice/conclave/store"
)

// handle is an open file.
type handle interface {
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// disk is where the files are.
type disk interface {
	// create makes a file, and the folders that it is in. It must not be there.
	create(name string) (handle, error)
	// free is how many octets there are left for us.
	free() (uint64, error)
}

type realDisk struct{ root *os.Root }

func (d realDisk) create(name string) (handle, error) {
	if err := d.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err // not f: a nil file is no nil handle
	}
	return f, nil
}

func (d realDisk) free() (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.root.Name(), &s); err != nil {
		return 0, fmt.Errorf("ask how much of the disk is free: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// errNearlyFull: what is left of the disk is for others.
var errNearlyFull = errors.New("the disk is nearly full")

// endOf is why a segment ends that cannot be written.
func endOf(err error) store.RecordingEnd {
	if errors.Is(err, errNearlyFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return store.RecordingDiskFull
	}
	return store.RecordingFailed
}
