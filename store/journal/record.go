package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// body is what is told to the store. It is kept as JSON, so that a later version of the
// program reads what an earlier one has left.
type body interface {
	deliver(ctx context.Context, s Store) error
}

// errSuperseded: delivered, but the conference had lost to one of a higher epoch.
var errSuperseded = errors.New("superseded")

type (
	conferenceOpened struct{ Conference store.Conference }
	conferenceClosed struct {
		ID     store.ConferenceID
		At     time.Time
		Reason string
	}
	conferenceEvents struct{ Events []store.ConferenceEvent }
	roleChanged      struct {
		ID    store.ParticipantID
		Role  store.Role
		Owner bool
	}
	participantMoved struct {
		ID    store.ParticipantID
		To    store.ConferenceID
		Focus store.Place
		Epoch uint64
	}
	callPut      struct{ Call store.Call }
	callSteps    struct{ Steps []store.CallStep }
	stayRecorded struct {
		Participant store.Participant
		Total       money.Amount
	}
	stayTaken struct {
		Participant store.Participant
		Total       money.Amount
	}
	staySettled struct{ XDR store.XDR }
	// stayDiscarded is the end of a stay that may not have begun in the store.
	stayDiscarded struct{ XDR store.XDR }
	runStarted    struct{ Run store.NodeRun }
	recordingPut  struct{ Recording store.Recording }
	segmentPut    struct{ Segment store.RecordingSegment }
	runBeat       struct {
		Node        string
		Incarnation int64
		At          time.Time
	}
	runStopped struct {
		Node        string
		Incarnation int64
		At          time.Time
	}
)

func (b *conferenceOpened) deliver(ctx context.Context, s Store) error {
	err := s.OpenConference(ctx, b.Conference)
	if !errors.Is(err, store.ErrStaleEpoch) && !errors.Is(err, store.ErrConflict) {
		return err
	}
	// It has taken place all the same, and stays refer to it.
	past := b.Conference
	past.EndedAt, past.EndReason = past.StartedAt, store.EndSuperseded
	if err := s.OpenConference(ctx, past); err != nil {
		return err
	}
	return errSuperseded
}

func (b *conferenceClosed) deliver(ctx context.Context, s Store) error {
	return s.CloseConference(ctx, b.ID, b.At, b.Reason)
}

func (b *conferenceEvents) deliver(ctx context.Context, s Store) error {
	return s.AppendConferenceEvents(ctx, b.Events)
}

func (b *roleChanged) deliver(ctx context.Context, s Store) error {
	return s.SetParticipantRole(ctx, b.ID, b.Role, b.Owner)
}

// deliver: who has left meanwhile need not be moved.
func (b *participantMoved) deliver(ctx context.Context, s Store) error {
	err := s.MoveParticipant(ctx, b.ID, b.To, b.Focus, b.Epoch)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (b *callPut) deliver(ctx context.Context, s Store) error { return s.PutCall(ctx, b.Call) }

func (b *callSteps) deliver(ctx context.Context, s Store) error {
	return s.AppendCallSteps(ctx, b.Steps)
}

func (b *stayRecorded) deliver(ctx context.Context, s Store) error {
	return s.RecordStay(ctx, b.Participant, b.Total)
}

func (b *stayTaken) deliver(ctx context.Context, s Store) error {
	return s.TakeStay(ctx, b.Participant, b.Total)
}

func (b *staySettled) deliver(ctx context.Context, s Store) error {
	_, err := s.SettleStay(ctx, b.XDR)
	return err
}

func (b *stayDiscarded) deliver(ctx context.Context, s Store) error {
	_, err := s.SettleStay(ctx, b.XDR)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (b *runStarted) deliver(ctx context.Context, s Store) error { return s.StartRun(ctx, b.Run) }

func (b *runBeat) deliver(ctx context.Context, s Store) error {
	return s.Heartbeat(ctx, b.Node, b.Incarnation, b.At)
}

func (b *runStopped) deliver(ctx context.Context, s Store) error {
	return s.StopRun(ctx, b.Node, b.Incarnation, b.At)
}

func (b *recordingPut) deliver(ctx context.Context, s Store) error {
	return s.PutRecording(ctx, b.Recording)
}

func (b *segmentPut) deliver(ctx context.Context, s Store) error { return s.PutSegment(ctx, b.Segment) }

// joiner is a body that many of may be delivered at once: in effect these do not depend on
// the order of those of other kinds.
type joiner interface{ join(b *store.Batch) }

func (b *callPut) join(all *store.Batch)   { all.Calls = append(all.Calls, b.Call) }
func (b *callSteps) join(all *store.Batch) { all.Steps = append(all.Steps, b.Steps...) }
func (b *stayRecorded) join(all *store.Batch) {
	all.Stays = append(all.Stays, store.PromisedStay{Participant: b.Participant, Total: b.Total})
}
func (b *conferenceEvents) join(all *store.Batch) { all.Events = append(all.Events, b.Events...) }
func (b *staySettled) join(all *store.Batch)      { all.Ends = append(all.Ends, b.XDR) }
func (b *runBeat) join(all *store.Batch) {
	all.Beats = append(all.Beats, store.NodeRun{Place: store.Place{Node: b.Node}, Incarnation: b.Incarnation, HeartbeatAt: b.At})
}

// joins says whether a record may be delivered together with others.
func (r record) joins() bool {
	_, ok := r.body.(joiner)
	return ok
}

// precedes says whether the store has to know of it before it is asked about the same room:
// whether a conference may be opened, or a stay may have money. Histories and ends of
// stays need not be waited for.
func precedes(b body) bool {
	switch b.(type) {
	case *conferenceOpened, *conferenceClosed, *stayRecorded, *stayTaken:
		return true
	}
	return false
}

// early says whether the store did not take a record because it does not know yet what the
// record refers to: the conference of a stay, if another node hosts it; the recording of a
// segment, if another node began it.
func early(b body, err error) bool {
	switch b.(type) {
	case *stayRecorded, *stayTaken, *segmentPut:
		return errors.Is(err, store.ErrNotFound)
	}
	return false
}

// kinds are the names of bodies on disk. A name is never given another meaning.
var kinds = map[string]func() body{
	"conference-opened": func() body { return new(conferenceOpened) },
	"conference-closed": func() body { return new(conferenceClosed) },
	"conference-events": func() body { return new(conferenceEvents) },
	"role-changed":      func() body { return new(roleChanged) },
	"participant-moved": func() body { return new(participantMoved) },
	"call":              func() body { return new(callPut) },
	"call-steps":        func() body { return new(callSteps) },
	"stay-recorded":     func() body { return new(stayRecorded) },
	"stay-taken":        func() body { return new(stayTaken) },
	"stay-settled":      func() body { return new(staySettled) },
	"stay-discarded":    func() body { return new(stayDiscarded) },
	"run-started":       func() body { return new(runStarted) },
	"run-beat":          func() body { return new(runBeat) },
	"run-stopped":       func() body { return new(runStopped) },
	"recording":         func() body { return new(recordingPut) },
	"recording-segment": func() body { return new(segmentPut) },
}

func kindOf(b body) string {
	switch b.(type) {
	case *conferenceOpened:
		return "conference-opened"
	case *conferenceClosed:
		return "conference-closed"
	case *conferenceEvents:
		return "conference-events"
	case *roleChanged:
		return "role-changed"
	case *participantMoved:
		return "participant-moved"
	case *callPut:
		return "call"
	case *callSteps:
		return "call-steps"
	case *stayRecorded:
		return "stay-recorded"
	case *stayTaken:
		return "stay-taken"
	case *staySettled:
		return "stay-settled"
	case *stayDiscarded:
		return "stay-discarded"
	case *runStarted:
		return "run-started"
	case *runBeat:
		return "run-beat"
	case *runStopped:
		return "run-stopped"
	case *recordingPut:
		return "recording"
	case *segmentPut:
		return "recording-segment"
	}
	return ""
}

// record is one in the log.
type record struct {
	Kind string          `json:"kind"`
	Key  string          `json:"key"` // records of one key are delivered in order
	At   time.Time       `json:"at"`  // when it was made
	Body json.RawMessage `json:"body"`

	seq  uint64
	body body
}

func encode(key string, at time.Time, b body) ([]byte, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return json.Marshal(record{Kind: kindOf(b), Key: key, At: at, Body: text})
}

// decode reads a record. One that cannot be read has what could be read of it.
func decode(text []byte) (r record, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("unreadable record: %w", err)
	}
	make, known := kinds[r.Kind]
	if !known {
		return r, fmt.Errorf("a record of the kind %q, which this program does not know", r.Kind)
	}
	r.body = make()
	if err := json.Unmarshal(r.Body, r.body); err != nil {
		return r, fmt.Errorf("unreadable record of the kind %q: %w", r.Kind, err)
	}
	r.normalize()
	return r, nil
}

// normalize undoes what JSON does to objects that are not there.
func (r *record) normalize() {
	none := func(m *json.RawMessage) {
		if string(*m) == "null" {
			*m = nil
		}
	}
	switch b := r.body.(type) {
	case *staySettled:
		none(&b.XDR.Quality)
	case *stayDiscarded:
		none(&b.XDR.Quality)
	case *conferenceEvents:
		for i := range b.Events {
			none(&b.Events[i].Detail)
		}
	}
}

func roomKey(id store.RoomID) string             { return "room/" + string(id) }
func conferenceKey(id store.ConferenceID) string { return "conference/" + string(id) }
func callKey(id store.CallID) string             { return "call/" + string(id) }
func recordingKey(id store.RecordingID) string   { return "recording/" + string(id) }
func runKey(node string) string                  { return "run/" + node }
