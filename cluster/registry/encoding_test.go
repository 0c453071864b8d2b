package registry_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/conclave-voice/conclave/cluster/registry"
)

var update = flag.Bool("update", false, "write testdata anew, for a new version only")

// examples are one command of each kind.
func examples() []registry.Command {
	ops := []registry.Op{
		registry.NodeUp{Instance: n1, Addresses: []string{"10.0.0.1:7000", "[2001:db8::1]:7000"}},
		registry.NodeUp{Instance: n2},
		registry.NodeUp{Instance: n3},
		registry.Found{Group: "g-1"},
		assign("room", n1),
		registry.Assign{Room: "local", Candidate: n2, Kind: registry.KindLocal, Replace: 3, Floor: 1000},
		registry.Assign{Room: "closed", Candidate: n2, Kind: registry.KindMain},
		registry.Release{Room: "closed", Epoch: 1002},
		registry.Dialogs{Owner: n1, Changes: []registry.DialogChange{
			{Call: "call-1@10.0.0.1", Version: 7, State: []byte{0, 1, 2}},
			{Call: "call-2", Version: 1},
			{Call: "call-2", Drop: true}}},
		registry.Drain{Instance: n1, Draining: true},
		registry.TakeDialog{Call: "call-1@10.0.0.1", From: n1, To: n2},
		registry.NodeGone{Instance: n3, Left: true},
	}
	var commands []registry.Command
	for i, op := range ops {
		commands = append(commands, registry.Command{Request: from(n1, uint64(i+1)), Op: op})
	}
	return commands
}

// What version 1 has written stays readable, and means what it meant.
func TestVersion1StaysReadable(t *testing.T) {
	s := registry.New()
	for i, c := range examples() {
		data := golden(t, fmt.Sprintf("command-v1-%02d", i), func() []byte { return encode(t, c) })
		decoded, err := registry.DecodeCommand(data)
		if err != nil || !reflect.DeepEqual(decoded, c) {
			t.Errorf("command %d: %+v, %v; want %+v", i, decoded, err, c)
		}
		if r := s.Apply(uint64(i+1), decoded); r.Err() != nil {
			t.Errorf("%+v: %v", c, r.Err())
		}
	}
	var now bytes.Buffer
	if _, err := s.WriteTo(&now); err != nil {
		t.Fatal(err)
	}
	then := golden(t, "snapshot-v1", now.Bytes)
	restored, err := registry.Restore(bytes.NewReader(then))
	if err != nil || !reflect.DeepEqual(restored, s) {
		t.Errorf("the snapshot of version 1 gives %+v, %v; want %+v", restored, err, s)
	}
}

func golden(t *testing.T, name string, write func() []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, write(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func encode(t testing.TB, c registry.Command) []byte {
	t.Helper()
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLaterVersionsAreNotGuessed(t *testing.T) {
	data := encode(t, examples()[0])
	data[0]++
	if _, err := registry.DecodeCommand(data); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a command of the next version: %v", err)
	}
	data[0]--
	data[1] = 200
	if _, err := registry.DecodeCommand(data); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a command of an unknown kind: %v", err)
	}
	snapshot := golden(t, "snapshot-v1", nil)
	snapshot[len("conclave-registry")]++
	if _, err := registry.Restore(bytes.NewReader(snapshot)); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a snapshot of the next version: %v", err)
	}
}

// A disk that was full or a file that was cut must not give a smaller registry.
func TestCutSnapshotIsAnError(t *testing.T) {
	snapshot := golden(t, "snapshot-v1", nil)
	for n := range snapshot {
		if _, err := registry.Restore(bytes.NewReader(snapshot[:n])); err == nil {
			t.Fatalf("%d of %d bytes were taken for a snapshot", n, len(snapshot))
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range examples() {
		f.Add(encode(f, c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := registry.DecodeCommand(data)
		if err != nil {
			return
		}
		again, err := registry.DecodeCommand(encode(t, c))
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%+v came back as %+v, %v", c, again, err)
		}
		if r := registry.New().Apply(1, c); r.Refusal == registry.Invalid {
			t.Fatalf("%+v was decoded and is not valid", c)
		}
	})
}

func FuzzRestore(f *testing.F) {
	snapshot, err := os.ReadFile(filepath.Join("testdata", "snapshot-v1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(snapshot)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := registry.Restore(bytes.NewReader(data))
		if err != nil {
			return
		}
		for i, c := range examples() {
			s.Apply(uint64(i), c)
		}
		if _, err := s.WriteTo(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeResult(f *testing.F) {
	f.Add(registry.Result{Assignment: registry.Assignment{Room: "r", Focus: n1, Epoch: 1},
		Items: []registry.Refusal{registry.Full}}.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := registry.DecodeResult(data)
		if err != nil {
			return
		}
		if again, err := registry.DecodeResult(r.Encode()); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v came back as %+v, %v", r, again, err)
		}
	})
}
