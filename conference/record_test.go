package conference

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/store"
)

// recordingHall is a hall that records into a folder.
func recordingHall(t *testing.T, change func(*recording.Config, *store.Room)) (*hall, string) {
	t.Helper()
	dir := t.TempDir()
	h := newHall(t, func(c *Config, r *store.Room) {
		config := recording.Config{Dir: dir, Place: c.Place, Incarnation: 1, Codecs: codec.NewRegistry(), Clock: c.Clock, Logger: hclog.NewNullLogger()}
		r.CustomerID, r.Recording.Mode = "customer", store.RecordOnDemand
		if change != nil {
			change(&config, r)
		}
		recorder, err := recording.New(config)
		if err != nil {
			t.Fatal(err)
		}
		c.Recorder = recorder
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- recorder.Run(ctx) }()
		t.Cleanup(func() { // after the host has stopped
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	})
	return h, dir
}

// kept is what the store knows of recordings and segments, by time.
func (h *hall) kept() (recordings []store.Recording, segments []store.RecordingSegment) {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	recordings = slices.SortedFunc(maps.Values(h.store.recordings), func(a, b store.Recording) int { return a.StartedAt.Compare(b.StartedAt) })
	segments = slices.SortedFunc(maps.Values(h.store.segments), func(a, b store.RecordingSegment) int { return a.Number - b.Number })
	return recordings, segments
}

// await waits until all recordings and segments have ended.
func (h *hall) await(recordings, segments int) ([]store.Recording, []store.RecordingSegment) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		r, s := h.kept()
		open := slices.ContainsFunc(r, func(r store.Recording) bool { return r.StoppedAt.IsZero() }) ||
			slices.ContainsFunc(s, func(s store.RecordingSegment) bool { return s.EndedAt.IsZero() })
		if len(r) == recordings && len(s) == segments && !open {
			return r, s
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d recordings, %d segments, or open ones: %+v, %+v", len(r), len(s), r, s)
		}
	}
}

// ticks lets the engine tick so often.
func (h *hall) ticks(n uint64) {
	h.t.Helper()
	from := h.engine.Load().Ticks
	for deadline := time.Now().Add(30 * time.Second); h.engine.Load().Ticks < from+n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal("the engine does not tick")
		}
	}
}

// history are the kinds of a conference's events about recordings.
func (h *hall) history(c *Conference) (kinds []string) {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	for _, e := range h.store.events[c.ID()] {
		switch k := roster.Kind(e.Kind); k {
		case roster.RecordingStarted, roster.RecordingResumed, roster.RecordingStopped, roster.RecordingFailed:
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// CF10: a moderator's key begins and ends a recording; it is in the history, in the store
// and on the disk. A guest's key does nothing.
func TestRecordByKey(t *testing.T) {
	h, dir := recordingHall(t, func(_ *recording.Config, r *store.Room) { r.Recording.Retention, r.Recording.Tracks = 9, true })
	host, g := h.join(store.RoleModerator), h.join(store.RoleSpeaker)
	c := g.seat.Conference()
	g.press("**")
	host.press("**")
	g.press("**")
	h.ticks(20)
	h.clock.Advance(time.Minute)
	host.press("**")
	recordings, segments := h.await(1, 1)
	r, s := recordings[0], segments[0]
	if r.StartedBy != string(host.id) || r.StoppedBy != string(host.id) || r.Reason != store.RecordingStopped || !r.Announced || !r.Tracks || r.Retention != 9 ||
		r.Format != store.FormatWAV || r.ConferenceID != c.ID() || r.StoppedAt.Sub(r.StartedAt) != time.Minute {
		t.Errorf("%+v", r)
	}
	if s.Number != 1 || s.Reason != store.RecordingStopped || s.Length < 300*time.Millisecond || s.RecordingID != r.ID {
		t.Errorf("%+v", s)
	}
	if info, err := os.Stat(filepath.Join(dir, s.Path, "mix.wav")); err != nil || info.Size() != s.Octets {
		t.Errorf("%v, %v", info, err)
	}
	if got := h.history(c); !slices.Equal(got, []string{"recording-started", "recording-stopped"}) {
		t.Errorf("history: %q", got)
	}
	host.press("**") // another one, which ends with the conference
	h.ticks(5)
	host.seat.Leave(store.CauseHangup)
	g.seat.Leave(store.CauseHangup)
	if recordings, _ = h.await(2, 2); recordings[1].Reason != store.RecordingEnded {
		t.Errorf("%+v", recordings[1])
	}
}

// CF10: the room's settings: who may, and which keys there are for it.
func TestRoomSaysWhoRecords(t *testing.T) {
	for _, c := range []struct {
		mode    store.RecordMode
		key     bool
		byAPI   error
		already int // recordings without anybody's doing
	}{
		{store.RecordOff, false, roster.ErrNoRecording, 0},
		{store.RecordOnDemand, true, nil, 0},
		{store.RecordAlways, false, nil, 1},
	} {
		h, _ := recordingHall(t, func(_ *recording.Config, r *store.Room) { r.Recording.Mode = c.mode })
		host := h.join(store.RoleModerator)
		if _, has := host.seat.keys.keys["**"]; has != c.key {
			t.Errorf("%q: there is a key: %v", c.mode, has)
		}
		conference := host.seat.Conference()
		if got := conference.roster.Recording().On(); got != (c.already > 0) {
			t.Errorf("%q: recorded: %v", c.mode, got)
		}
		by := By{API: "desk"}
		if err := conference.StartRecording(RecordingOptions{}, by); !errors.Is(err, c.byAPI) {
			t.Errorf("%q: %v", c.mode, err)
		}
		if err := conference.StartRecording(RecordingOptions{Format: store.FormatOgg}, by); !errors.Is(err, recording.ErrNoOpus) {
			t.Errorf("%q, in Ogg without Opus: %v", c.mode, err)
		}
		if err := conference.StopRecording(by); err != nil || conference.roster.Recording().On() {
			t.Errorf("%q is not stopped: %v", c.mode, err)
		}
	}
	h := newHall(t, nil)
	if err := h.join(store.RoleModerator).seat.Conference().StartRecording(RecordingOptions{}, By{API: "desk"}); !errors.Is(err, ErrNoRecorder) {
		t.Error(err)
	}
}

// CF10: who is recorded has been told: those who are in, those who come later, and those
// who were on hold. With an explicit setting nobody is.
func TestConsent(t *testing.T) {
	for _, silent := range []bool{false, true} {
		h, _ := recordingHall(t, func(_ *recording.Config, r *store.Room) { r.Recording.Silent = silent })
		told := func(g guest, want bool) {
			t.Helper()
			c := g.seat.Conference()
			c.mu.Lock()
			defer c.mu.Unlock()
			if g.seat.toldRecorded != (want && !silent) {
				t.Errorf("silent %v: %s was told: %v", silent, g.id, g.seat.toldRecorded)
			}
		}
		host, held := h.join(store.RoleModerator), h.join(store.RoleSpeaker)
		held.seat.Hold(true)
		host.press("**")
		late := h.join(store.RoleSpeaker)
		told(host, true)
		told(late, true)
		told(held, false)
		held.seat.Hold(false)
		told(held, true)
		host.press("**")
		told(late, false)
		host.press("**")
		told(late, true)
	}
}

// CF10: a full disk ends the recording; that is in the history, and the call goes on.
func TestRecordingFailsAndTheCallGoesOn(t *testing.T) {
	h, _ := recordingHall(t, func(c *recording.Config, r *store.Room) { c.MinFree, r.Recording.Mode = 1<<63, store.RecordAlways })
	g := h.join(store.RoleSpeaker)
	recordings, segments := h.await(1, 1)
	if recordings[0].Reason != store.RecordingDiskFull || segments[0].Reason != store.RecordingDiskFull || segments[0].Detail == "" {
		t.Errorf("%+v, %+v", recordings, segments)
	}
	c := g.seat.Conference()
	for len(h.history(c)) < 2 {
		time.Sleep(time.Millisecond)
	}
	if got := h.history(c); !slices.Equal(got, []string{"recording-started", "recording-failed"}) {
		t.Errorf("history: %q", got)
	}
	h.join(store.RoleSpeaker) // it is not begun again
	h.ticks(5)
	if h.member(g) == nil || c.roster.Recording().On() {
		t.Error("the conference does not go on as it should")
	}
}

// CF10, MS16: a conference that goes on at another node goes on with its recording there,
// in the next segment, once; the participants are not told again.
func TestSegmentsOverNodes(t *testing.T) {
	first, _ := recordingHall(t, nil)
	host, g := first.join(store.RoleModerator), first.join(store.RoleSpeaker)
	host.press("**")
	first.ticks(10)
	standings := map[store.ParticipantID]roster.Standing{}
	for _, x := range []guest{host, g} {
		c := x.seat.Conference()
		c.mu.Lock()
		standings[x.id], _ = c.roster.Standing(x.id)
		c.mu.Unlock()
	}
	first.host.Supersede(first.room.ID, store.KindMain, 100)
	for _, x := range []guest{host, g} {
		x.released(t)
	}
	recordings, segments := first.kept()
	if len(recordings) != 1 || !recordings[0].StoppedAt.IsZero() {
		t.Errorf("the recording has ended with its node: %+v", recordings)
	}
	for deadline := time.Now().Add(30 * time.Second); segments[0].EndedAt.IsZero() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, segments = first.kept()
	}
	if len(segments) != 1 || segments[0].Reason != store.RecordingMoved {
		t.Errorf("%+v", segments)
	}

	second, dir := recordingHall(t, nil)
	second.room = first.room
	var seats []*Seat
	for _, x := range []guest{g, host} {
		st := standings[x.id]
		seat, err := second.host.Admit(t.Context(), Admission{Room: second.room, Role: st.Role, Participant: x.id, Kind: store.KindMain, Epoch: 100, Standing: &st})
		if err != nil {
			t.Fatal(err)
		}
		if err := seat.Enter(mixer.NewPort(x.port.Media(), nil), nil); err != nil {
			t.Fatal(err)
		}
		if seats = append(seats, seat); !seat.toldRecorded {
			t.Error("who was told before is told again")
		}
	}
	second.ticks(10)
	seats[1].Key('*')
	seats[1].Key('*')
	recordings2, segments2 := second.await(1, 1)
	r, s := recordings2[0], segments2[0]
	if r.ID != recordings[0].ID || r.ConferenceID != recordings[0].ConferenceID || !r.StartedAt.Equal(recordings[0].StartedAt) || r.StartedBy != string(host.id) || r.Reason != store.RecordingStopped {
		t.Errorf("%+v,\nwas %+v", r, recordings[0])
	}
	if s.Number != 2 || s.RecordingID != r.ID || s.ConferenceID == segments[0].ConferenceID {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(filepath.Join(dir, s.Path, "mix.wav")); err != nil {
		t.Error(err)
	}
	if got := second.history(seats[0].Conference()); !slices.Equal(got, []string{"recording-resumed", "recording-stopped"}) {
		t.Errorf("history: %q", got)
	}
}

// CF10: a recording that is long goes on in another file, without anybody's doing.
func TestNextSegment(t *testing.T) {
	h, _ := recordingHall(t, nil)
	host := h.join(store.RoleModerator)
	host.press("**")
	h.ticks(10)
	c := host.seat.Conference()
	if err := c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) { return r.NextSegment(now), nil }); err != nil {
		t.Fatal(err)
	}
	h.ticks(10)
	host.press("**")
	recordings, segments := h.await(1, 2)
	if segments[0].Reason != store.RecordingFull || segments[1].Reason != store.RecordingStopped || segments[1].Number != 2 || recordings[0].Reason != store.RecordingStopped {
		t.Errorf("%+v, %+v", recordings, segments)
	}
	for _, s := range segments {
		if s.Length < 150*time.Millisecond || s.Gaps != 0 {
			t.Errorf("%+v", s)
		}
	}
	if got := h.history(c); !slices.Equal(got, []string{"recording-started", "recording-resumed", "recording-stopped"}) {
		t.Errorf("history: %q", got)
	}
}

// When the node stops, files and rows are finished.
func TestRecordingWhenTheNodeStops(t *testing.T) {
	var h *hall
	t.Run("a node that runs", func(t *testing.T) {
		h, _ = recordingHall(t, func(_ *recording.Config, r *store.Room) { r.Recording.Mode = store.RecordAlways })
		h.join(store.RoleSpeaker)
		h.ticks(5)
	})
	h.t = t
	recordings, segments := h.await(1, 1)
	if recordings[0].Reason != store.RecordingEnded || segments[0].Reason != store.RecordingEnded || segments[0].Length == 0 {
		t.Errorf("%+v, %+v", recordings, segments)
	}
}
