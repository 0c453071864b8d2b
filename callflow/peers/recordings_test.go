package peers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// library is a node with recordings, and how another node reads them.
func library(t *testing.T) (folder string, there store.Place, files *Recordings, stop func()) {
	t.Helper()
	authority := filepath.Join(t.TempDir(), "authority")
	must(t, certs.Init(authority, "test", time.Now()))
	bundle := func(node string) *certs.Bundle {
		dir := filepath.Join(t.TempDir(), node)
		must(t, certs.Add(authority, dir, certs.Identity{Site: "a", Node: node}, time.Now()))
		b, err := certs.Open(dir)
		must(t, err)
		return b
	}
	folder, there = t.TempDir(), store.Place{Site: "a", Node: "has"}
	archive, err := recording.NewArchive(recording.Config{Dir: folder, Place: there}, nil, 0)
	must(t, err)
	t.Cleanup(func() { must(t, archive.Close()) })

	codes := Codes()
	codes["not-found"] = store.ErrNotFound
	server := rpc.NewServer(codes, hclog.NewNullLogger())
	ServeRecordings(server, archive)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	has := bundle("has")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, l, has.ServerTLS(has.AnyNode())) }()
	stop = func() { cancel(); must(t, <-done) }

	client := rpc.NewClient(bundle("asks"), func(certs.Identity) (string, bool) { return l.Addr().String(), true }, codes, &net.Dialer{})
	t.Cleanup(client.Close)
	return folder, there, NewRecordings(store.Place{Site: "a", Node: "asks"}, nil, NewClient("test", client, nil)), stop
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// CF10: a file of another node is read like one here: whole, in pieces, from anywhere, and
// not where it has no business.
func TestRecordingsOfAnotherNode(t *testing.T) {
	folder, there, files, stop := library(t)
	content := make([]byte, 2*maxPart+12345)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content) // it never fails
	must(t, os.MkdirAll(filepath.Join(folder, "c", "r-001"), 0o700))
	must(t, os.WriteFile(filepath.Join(folder, "c", "r-001", "mix.wav"), content, 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "c", "r-001", "ann.wav"), []byte("ann"), 0o600))
	segment := store.RecordingSegment{Place: there, Path: "c/r-001"}

	f, err := files.Open(t.Context(), segment, store.FormatWAV, "")
	must(t, err)
	if err := iotest.TestReader(f, content); err != nil {
		t.Error(err)
	}
	for _, at := range []int64{0, 1, maxPart - 1, int64(len(content)) - 3} {
		_, err := f.Seek(at, io.SeekStart)
		must(t, err)
		got := make([]byte, 3)
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, content[at:at+3]) {
			t.Errorf("at %d: %x, %v", at, got, err)
		}
	}
	must(t, f.Close())
	f, err = files.Open(t.Context(), segment, store.FormatWAV, "ann")
	must(t, err)
	if got, err := io.ReadAll(f); err != nil || string(got) != "ann" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []store.RecordingSegment{{Place: there, Path: "c/r-002"}, {Place: there, Path: "../" + filepath.Base(folder) + "/c/r-001"}} {
		if _, err := files.Open(t.Context(), bad, store.FormatWAV, ""); err == nil {
			t.Errorf("%q is read", bad.Path)
		}
	}
	if _, err := files.Open(t.Context(), segment, store.FormatOgg, ""); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	stop()
	if _, err := files.Open(t.Context(), segment, store.FormatWAV, ""); !errors.Is(err, rpc.ErrUnreachable) {
		t.Errorf("a node that is off: %v", err)
	}
	alone := NewRecordings(store.Place{Site: "a", Node: "asks"}, nil, nil)
	if _, err := alone.Open(t.Context(), segment, store.FormatWAV, ""); !errors.Is(err, rpc.ErrUnreachable) {
		t.Errorf("without a cluster: %v", err)
	}
}
