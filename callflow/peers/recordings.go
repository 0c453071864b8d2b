package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/store"
)

// maxPart is how much of a file one answer has, in octets: as JSON it is a third more, and
// an answer may have 1 MiB.
const maxPart = 512 << 10

// Archive opens files of recordings that this node has written; a recording.Archive.
type Archive interface {
	Open(folder string, f store.RecordingFormat, track store.ParticipantID) (*os.File, error)
}

// fileRequest asks for a part of a file.
type fileRequest struct {
	Folder string
	Format store.RecordingFormat
	Track  store.ParticipantID `json:",omitempty"`
	Offset int64
	Length int // at most maxPart; 0: the size alone is asked for
}

type filePart struct {
	Size int64 // of the whole file, now
	Data []byte
}

// ServeRecordings adds what others' Recordings ask for.
func ServeRecordings(s *rpc.Server, archive Archive) {
	rpc.Handle(s, methodFile, func(_ context.Context, _ certs.Identity, r fileRequest) (filePart, error) {
		f, err := archive.Open(r.Folder, r.Format, r.Track)
		if err != nil {
			return filePart{}, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return filePart{}, err
		}
		data := make([]byte, min(max(r.Length, 0), maxPart))
		n, err := f.ReadAt(data, r.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return filePart{}, fmt.Errorf("read a file of a recording: %w", err)
		}
		return filePart{Size: info.Size(), Data: data[:n]}, nil
	})
}

// Recordings opens files of recordings, at whatever node they are. It is api.Files.
type Recordings struct {
	self   store.Place
	here   Archive
	client *Client // nil: there are no other nodes
}

// NewRecordings makes one at the node self. client may be nil for a node that is alone.
func NewRecordings(self store.Place, here Archive, client *Client) *Recordings {
	return &Recordings{self: self, here: here, client: client}
}

// Open opens a segment's mix, or a participant's track. What is at another node is read
// from there, in parts, while ctx lasts.
func (r *Recordings) Open(ctx context.Context, s store.RecordingSegment, f store.RecordingFormat, track store.ParticipantID) (io.ReadSeekCloser, error) {
	if s.Place == r.self {
		file, err := r.here.Open(s.Path, f, track)
		if err != nil {
			return nil, err
		}
		return file, nil
	}
	if r.client == nil {
		return nil, fmt.Errorf("the files of the segment are at node %s of site %s: %w", s.Place.Node, s.Place.Site, rpc.ErrUnreachable)
	}
	remote := &remoteFile{ctx: ctx, client: r.client, node: s.Place, request: fileRequest{Folder: s.Path, Format: f, Track: track}}
	part, err := remote.ask(0)
	if err != nil {
		return nil, err
	}
	remote.size = part.Size
	return remote, nil
}

// remoteFile reads a file of another node. Its size is what it was at first.
type remoteFile struct {
	ctx     context.Context
	client  *Client
	node    store.Place
	request fileRequest
	size    int64
	at      int64
	part    []byte // what is next
}

func (f *remoteFile) ask(length int) (filePart, error) {
	f.request.Offset, f.request.Length = f.at, length
	return rpc.Call[fileRequest, filePart](f.ctx, f.client.rpc, f.client.identity(f.node), methodFile, f.request)
}

func (f *remoteFile) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	if len(f.part) == 0 {
		got, err := f.ask(int(min(f.size-f.at, maxPart)))
		if err != nil {
			return 0, err
		}
		if len(got.Data) == 0 {
			return 0, io.ErrUnexpectedEOF // it was removed meanwhile
		}
		f.part = got.Data
	}
	n := copy(p, f.part)
	f.part = f.part[n:]
	f.at += int64(n)
	return n, nil
}

func (f *remoteFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d: before the beginning", offset)
	}
	f.at, f.part = offset, nil
	return offset, nil
}

func (f *remoteFile) Close() error { return nil }
