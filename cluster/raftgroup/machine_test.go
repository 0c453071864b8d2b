package raftgroup

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// SPEC MS14: in a rolling upgrade a node meets an entry of a later version. It stands
// still, rather than come to another state than the others, until it is upgraded or
// is sent a snapshot that it can read.
func TestMachineStandsStillAtWhatItCannotRead(t *testing.T) {
	m := newMachine(hclog.NewNullLogger())
	up := func(index, incarnation uint64) *raft.Log {
		op := registry.NodeUp{Instance: registry.Instance{Node: "a", Incarnation: incarnation}}
		data, err := registry.Command{Op: op}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return &raft.Log{Index: index, Data: data}
	}
	if o := m.Apply(up(1, 1)).(outcome); o.err != nil || !o.result.Changed {
		t.Fatalf("%+v", o)
	}
	later := up(2, 2)
	later.Data[0]++ // the version
	for _, entry := range []*raft.Log{later, up(3, 3)} {
		if o := m.Apply(entry).(outcome); !errors.Is(o.err, registry.ErrVersion) {
			t.Errorf("entry %d: %+v", entry.Index, o)
		}
	}
	if err := m.view(func(*registry.State) {}); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("reading: %v", err)
	}
	if _, err := m.Snapshot(); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a snapshot: %v", err)
	}

	var b bytes.Buffer
	if _, err := registry.New().WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := m.Restore(io.NopCloser(&b)); err != nil {
		t.Fatal(err)
	}
	if o := m.Apply(up(9, 9)).(outcome); o.err != nil || !o.result.Changed {
		t.Errorf("after a snapshot: %+v", o)
	}
}
