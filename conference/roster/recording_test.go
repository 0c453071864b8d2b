package roster

import (
	"errors"
	"testing"

	"github.com/conclave-voice/conclave/store"
)

var tape = Recording{ID: "r1", Conference: "c1", Format: store.FormatWAV}

func kinds(events []Event) (list []Kind) {
	for _, e := range events {
		list = append(list, e.Kind)
	}
	return list
}

func has(events []Event, want Kind) bool {
	for _, k := range kinds(events) {
		if k == want {
			return true
		}
	}
	return false
}

// CF10: who may have a conference recorded, by the room's settings.
func TestWhoMayRecord(t *testing.T) {
	key, guest, desk := By{Participant: ann}, By{Participant: bob}, By{API: "desk"}
	for _, c := range []struct {
		mode        store.RecordMode
		by          By
		start, stop error
	}{
		{store.RecordOff, key, ErrNoRecording, nil},
		{store.RecordOff, desk, ErrNoRecording, nil},
		{store.RecordOnDemand, key, nil, nil},
		{store.RecordOnDemand, desk, nil, nil},
		{store.RecordOnDemand, guest, ErrForbidden, ErrForbidden},
		{store.RecordAlways, key, nil, ErrForbidden},
		{store.RecordAlways, desk, nil, nil},
	} {
		r, _ := Start(t0, Settings{Record: c.mode})
		join(t, r, t0, ann, store.RoleModerator)
		join(t, r, t0, bob, store.RoleSpeaker)
		events, err := r.StartRecording(at(1), tape, c.by)
		if !errors.Is(err, c.start) || has(events, RecordingStarted) != (c.start == nil) || r.Recording().On() != (c.start == nil) {
			t.Errorf("%q by %v: %v, %v", c.mode, c.by, kinds(events), err)
		}
		if c.start == nil {
			rec := r.Recording()
			if rec.Segment != 1 || rec.By != c.by.String() || rec.Since != at(1).UnixMicro() {
				t.Errorf("%+v", rec)
			}
		}
		if again, err := r.StartRecording(at(2), Recording{ID: "other"}, c.by); c.start == nil && (err != nil || again != nil) {
			t.Errorf("twice: %v, %v", kinds(again), err)
		}
		if _, err := r.StopRecording(at(3), c.by); !errors.Is(err, c.stop) || r.Recording().On() && c.stop == nil {
			t.Errorf("%q by %v stops: %v", c.mode, c.by, err)
		}
	}
}

// CF10: a room that is always recorded is so from the first participant on, but not again
// after it was stopped or has failed.
func TestAlwaysRecorded(t *testing.T) {
	for _, mode := range []store.RecordMode{store.RecordOff, store.RecordOnDemand, store.RecordAlways} {
		r, _ := Start(t0, Settings{Record: mode})
		join(t, r, t0, bob, store.RoleSpeaker)
		if events := r.RecordAlways(t0, tape); has(events, RecordingStarted) != (mode == store.RecordAlways) {
			t.Errorf("%q: %v", mode, kinds(events))
		}
		if r.RecordAlways(t0, Recording{ID: "r2"}) != nil {
			t.Errorf("%q: begun twice", mode)
		}
		if events := r.RecordingLost(at(1), tape.ID, 1, store.RecordingDiskFull); has(events, RecordingFailed) != (mode == store.RecordAlways) {
			t.Errorf("%q: %v", mode, kinds(events))
		}
		if r.RecordAlways(at(2), Recording{ID: "r2"}) != nil {
			t.Errorf("%q: begun again", mode)
		}
	}
}

// CF10: a recording ends with its conference, but not where that goes on elsewhere.
func TestRecordingEndsWithTheConference(t *testing.T) {
	for cause, stops := range map[store.ReleaseCause]bool{store.CauseHangup: true, store.CauseShutdown: true, store.CauseMoved: false} {
		r, _ := Start(t0, Settings{Record: store.RecordOnDemand})
		join(t, r, t0, ann, store.RoleModerator)
		if _, err := r.StartRecording(t0, tape, By{Participant: ann}); err != nil {
			t.Fatal(err)
		}
		events := r.Leave(at(1), ann, cause, By{})
		if has(events, RecordingStopped) != stops || events[len(events)-1].Kind != Ended {
			t.Errorf("%s: %v", cause, kinds(events))
		}
	}
}

// CF10, MS16: where a conference goes on, its recording does, once, with the next segment;
// what has been stopped is not begun again by somebody who does not know.
func TestRecordingGoesOn(t *testing.T) {
	settings := Settings{Record: store.RecordOnDemand}
	lost, _ := Start(t0, settings)
	join(t, lost, t0, ann, store.RoleModerator)
	join(t, lost, t0, bob, store.RoleSpeaker)
	if _, err := lost.StartRecording(t0, tape, By{Participant: ann}); err != nil {
		t.Fatal(err)
	}
	if events := lost.NextSegment(at(1)); !has(events, RecordingResumed) || lost.Recording().Segment != 2 {
		t.Errorf("%v, %+v", kinds(events), lost.Recording())
	}
	next, _ := Start(at(5), settings)
	for _, id := range []store.ParticipantID{ann, bob} {
		st, _ := lost.Standing(id)
		events, err := next.Return(at(6), id, "", st)
		if err != nil || has(events, RecordingResumed) != (id == ann) {
			t.Errorf("%s: %v, %v", id, kinds(events), err)
		}
	}
	want := lost.Recording()
	want.Segment = 3
	if next.Recording() != want {
		t.Errorf("%+v, want %+v", next.Recording(), want)
	}
	if next.RecordingLost(at(7), tape.ID, 2, store.RecordingFailed) != nil {
		t.Error("the loss of an earlier segment counts")
	}
	// bob is away while the recording is stopped.
	st, _ := next.Standing(bob)
	next.Leave(at(8), bob, store.CauseLost, By{})
	if _, err := next.StopRecording(at(9), By{Participant: ann}); err != nil {
		t.Fatal(err)
	}
	if events, err := next.Return(at(10), bob, "", st); err != nil || has(events, RecordingResumed) || next.Recording().On() {
		t.Errorf("%v, %v", kinds(events), err)
	}
}
