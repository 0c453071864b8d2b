package raftgroup

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// machine applies the log to this node's registry. It implements raft.FSM.
type machine struct {
	logger hclog.Logger

	mu     sync.RWMutex
	state  *registry.State
	broken error         // set once an entry could not be applied; nothing is applied after it
	change chan struct{} // closed at the next change
}

// outcome is what Raft hands from Apply to the one who asked.
type outcome struct {
	result registry.Result
	err    error
}

func newMachine(logger hclog.Logger) *machine {
	return &machine{logger: logger, state: registry.New(), change: make(chan struct{})}
}

// Apply carries out one entry of the log.
//
// An entry that this version cannot read was written by a later one. To leave it
// out would make this node's registry differ from the others', so it stands still
// until the program is upgraded.
func (m *machine) Apply(entry *raft.Log) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return outcome{err: m.broken}
	}
	command, err := registry.DecodeCommand(entry.Data)
	if err != nil {
		m.broken = fmt.Errorf("log entry %d cannot be applied; upgrade this node: %w", entry.Index, err)
		m.logger.Error("the registry stands still", "error", m.broken)
		return outcome{err: m.broken}
	}
	result := m.state.Apply(entry.Index, command)
	m.changed()
	return outcome{result: result}
}

// Snapshot captures the registry; writing goes on beside Apply.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.broken != nil {
		return nil, m.broken
	}
	return snapshot{m.state.Clone()}, nil
}

// Restore starts again from a snapshot.
func (m *machine) Restore(r io.ReadCloser) error {
	defer r.Close()
	state, err := registry.Restore(r)
	if err != nil {
		return fmt.Errorf("restoring the registry: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.broken = state, nil
	m.changed()
	return nil
}

func (m *machine) changed() {
	close(m.change)
	m.change = make(chan struct{})
}

// view reads the registry.
func (m *machine) view(read func(*registry.State)) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.broken != nil {
		return m.broken
	}
	read(m.state)
	return nil
}

// next is closed at the next change.
func (m *machine) next() <-chan struct{} {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.change
}

// reach waits until the entry at index has been applied.
func (m *machine) reach(ctx context.Context, index uint64) error {
	for {
		var at uint64
		next := m.next()
		if err := m.view(func(s *registry.State) { at = s.Index() }); err != nil {
			return err
		}
		if at >= index {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("waiting for log entry %d, at %d: %w", index, at, context.Cause(ctx))
		}
	}
}

type snapshot struct{ state *registry.State }

// Persist writes the snapshot.
func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if _, err := s.state.WriteTo(sink); err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

// Release has nothing to give back.
func (s snapshot) Release() {}
