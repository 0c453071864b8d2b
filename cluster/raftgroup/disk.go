package raftgroup

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// disk is a node's data directory. Its id and the group's are in the same file as
// the log and the votes, so that they are lost together or not at all.
type disk struct {
	id        string
	group     string
	store     *raftboltdb.BoltStore
	snapshots *raft.FileSnapshotStore
}

const (
	lockWait      = time.Second // for an earlier process that is still ending
	keptSnapshots = 2
)

var (
	keyDisk  = []byte("conclave.disk")
	keyGroup = []byte("conclave.group")
)

func openDisk(dir string, logger hclog.Logger) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the Raft log: %w", err)
	}
	path := filepath.Join(dir, "raft.db")
	store, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{Timeout: lockWait}})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("opening %s: another process has it open; stop that process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	d := &disk{store: store}
	if err := d.load(dir, logger); err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", dir, err), store.Close())
	}
	return d, nil
}

func (d *disk) load(dir string, logger hclog.Logger) error {
	id, err := d.get(keyDisk)
	if err != nil {
		return err
	}
	if id == "" {
		id = randomID()
		if err := d.store.Set(keyDisk, []byte(id)); err != nil {
			return fmt.Errorf("writing the disk's id: %w", err)
		}
	}
	d.id = id
	if d.group, err = d.get(keyGroup); err != nil {
		return err
	}
	// Snapshots of another log are none of ours.
	d.snapshots, err = raft.NewFileSnapshotStoreWithLogger(filepath.Join(dir, id), keptSnapshots, logger)
	if err != nil {
		return fmt.Errorf("opening the snapshots: %w", err)
	}
	return d.complete()
}

// complete refuses a log whose beginning is neither there nor in a snapshot. Raft
// would stop the program when it comes to the gap.
func (d *disk) complete() error {
	first, err := d.store.FirstIndex()
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	snapshots, err := d.snapshots.List()
	if err != nil {
		return fmt.Errorf("listing the snapshots: %w", err)
	}
	if first <= 1 || len(snapshots) > 0 && snapshots[0].Index+1 >= first {
		return nil
	}
	return fmt.Errorf("the log starts at entry %d and no snapshot holds what came before; "+
		"remove the directory, and the node joins again with an empty one", first)
}

// join writes down which group the disk belongs to.
func (d *disk) join(group string) error {
	if err := d.store.Set(keyGroup, []byte(group)); err != nil {
		return fmt.Errorf("writing the group's id: %w", err)
	}
	d.group = group
	return nil
}

func (d *disk) get(key []byte) (string, error) {
	value, err := d.store.Get(key)
	if errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	return string(value), nil
}

func (d *disk) close() error { return d.store.Close() }

// randomID is long enough never to be drawn twice.
func randomID() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
