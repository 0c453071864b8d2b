package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/conclave-voice/conclave/testenv/load/judge"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// recording is what the API tells of one.
type recording struct {
	ID        string
	Reason    string
	StoppedAt time.Time
	Segments  []struct {
		ID                 string
		Number             int
		StartedAt, EndedAt time.Time
		Gaps               int
		Reason, Detail     string
	}
}

// Record has the conference of a room recorded, which must be going on.
func (t *Target) Record(ctx context.Context, r Room) error {
	conference, err := t.conference(ctx, r)
	if err != nil {
		return err
	}
	return t.call(ctx, http.MethodPost, "/conferences/"+conference+"/recording", map[string]any{"format": "wav"}, nil)
}

// StopRecording ends it.
func (t *Target) StopRecording(ctx context.Context, r Room) error {
	conference, err := t.conference(ctx, r)
	if err != nil {
		return err
	}
	return t.call(ctx, http.MethodDelete, "/conferences/"+conference+"/recording", nil, nil)
}

// conference is the id of the one that goes on in a room.
func (t *Target) conference(ctx context.Context, r Room) (string, error) {
	var list page[struct{ ID string }]
	if err := t.call(ctx, http.MethodGet, "/conferences?room="+r.ID, nil, &list); err != nil {
		return "", err
	}
	if n := len(list.Items); n != 1 {
		return "", fmt.Errorf("room %s has %d conferences, not one", r.Code, n)
	}
	return list.Items[0].ID, nil
}

// Recorded downloads the recordings of a room, which have ended, and judges each of their
// segments by who spoke in the room.
func (t *Target) Recorded(ctx context.Context, r Room, spoke judge.Room) ([]judge.Findings, error) {
	var list page[recording]
	if err := t.call(ctx, http.MethodGet, "/recordings?room="+r.ID, nil, &list); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("room %s has no recording", r.Code)
	}
	var findings []judge.Findings
	for _, one := range list.Items {
		if err := t.awaitFiles(ctx, &one); err != nil {
			return nil, fmt.Errorf("recording %s of room %s: %w", one.ID, r.Code, err)
		}
		for _, s := range one.Segments {
			sound, err := t.download(ctx, one.ID, s.ID)
			if err != nil {
				return nil, err
			}
			findings = append(findings, judge.Listen(judge.Ear{Who: fmt.Sprintf("recording of room %s, segment %d, %d gaps of the disk", r.Code, s.Number, s.Gaps),
				Kind: "recording", Seat: judge.Nobody, Begin: s.StartedAt, Sound: sound, Missing: s.Gaps}, spoke))
		}
	}
	return findings, nil
}

// awaitFiles waits until the files of a recording are whole, and reads what is told of it.
func (t *Target) awaitFiles(ctx context.Context, one *recording) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err := t.call(ctx, http.MethodGet, "/recordings/"+one.ID, nil, one); err != nil {
			return err
		}
		whole := !one.StoppedAt.IsZero() && len(one.Segments) > 0
		for _, s := range one.Segments {
			whole = whole && !s.EndedAt.IsZero()
			if s.Detail != "" {
				return fmt.Errorf("segment %d ended by %s: %s", s.Number, s.Reason, s.Detail)
			}
		}
		if whole {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("it is not finished after 30 s")
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// download reads the mix of a segment.
func (t *Target) download(ctx context.Context, recording, segment string) (tone.Sound, error) {
	content, err := t.request(ctx, http.MethodGet, t.api+"/api/v1/recordings/"+recording+"/segments/"+segment+"/audio", nil)
	if err != nil {
		return tone.Sound{}, fmt.Errorf("download recording %s: %w", recording, err)
	}
	path := filepath.Join(t.dir, segment+".wav")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return tone.Sound{}, fmt.Errorf("keep recording %s: %w", recording, err)
	}
	return tone.ReadWAV(path)
}
