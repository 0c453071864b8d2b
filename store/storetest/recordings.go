package storetest

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

var recordingTests = []test{
	{"CF10_RecordingsAreReadBack", testRecordings},
	{"CF10_RecordingsEnd", testRecordingEnds},
	{"CF10_RecordingsAreRemoved", testRecordingRemoved},
	{"CF10_RecordingsExpire", testRecordingsExpire},
	{"CF10_LostRecordingsEnd", testLostRecordings},
	{"CF10_RoomsSayWhatIsRecorded", testRecordingSettings},
}

const day = 24 * time.Hour

// recording is one of a conference, which goes on.
func (f *fixture) recording(c store.Conference) store.Recording {
	return store.Recording{ID: store.NewRecordingID(), CustomerID: c.CustomerID, RoomID: c.RoomID, ConferenceID: c.ID, RoomName: c.RoomName,
		Format: store.FormatWAV, StartedAt: t0, StartedBy: "api:desk", Announced: true}
}

// segment is the open n-th segment of a recording.
func (f *fixture) segment(r store.Recording, n int, c store.Conference) store.RecordingSegment {
	return store.RecordingSegment{ID: store.NewSegmentID(), RecordingID: r.ID, Number: n, ConferenceID: c.ID, Place: c.Focus,
		Incarnation: c.Incarnation, Path: "a/b", StartedAt: t0.Add(time.Duration(n) * time.Minute)}
}

func (f *fixture) begin(r store.Recording, segments ...store.RecordingSegment) {
	f.Helper()
	f.must(f.s.PutRecording(f.Context(), r))
	for _, s := range segments {
		f.must(f.s.PutSegment(f.Context(), s))
	}
}

func testRecordings(f *fixture) {
	ctx := f.Context()
	c, other := f.open("a"), f.open("b")
	r := f.recording(c)
	r.Tracks, r.Format, r.Retention = true, store.FormatOgg, 30
	second, first := f.segment(r, 2, other), f.segment(r, 1, c)
	f.begin(r, second, first)
	f.begin(r, second, first) // a repetition
	kept, segments, err := f.s.Recording(ctx, f.own, r.ID)
	f.equal(kept, err, r)
	f.equal(segments, err, []store.RecordingSegment{first, second})
	plain := f.recording(other)
	f.begin(plain)
	for _, list := range []struct {
		filter store.RecordingFilter
		want   []store.Recording
	}{
		{store.RecordingFilter{}, []store.Recording{r, plain}},
		{store.RecordingFilter{RoomID: other.RoomID}, []store.Recording{plain}},
		{store.RecordingFilter{ConferenceID: other.ID}, []store.Recording{r}}, // it went on there
		{store.RecordingFilter{ConferenceID: c.ID}, []store.Recording{r}},
	} {
		got, err := f.s.ListRecordings(ctx, f.own, list.filter, store.Page{})
		f.equal(got, err, list.want)
	}
	stranger := store.Scope{CustomerID: "somebody"}
	_, _, err = f.s.Recording(ctx, stranger, r.ID)
	f.is(err, store.ErrNotFound)
	if got, err := f.s.ListRecordings(ctx, stranger, store.RecordingFilter{}, store.Page{}); err != nil || len(got) != 0 {
		f.Errorf("%+v, %v", got, err)
	}
	f.is(f.s.PutSegment(ctx, f.segment(f.recording(c), 1, c)), store.ErrNotFound)
	invalid := f.segment(r, 0, c)
	f.is(f.s.PutSegment(ctx, invalid), store.ErrInvalid)
	r.Format = "mp3"
	f.is(f.s.PutRecording(ctx, r), store.ErrInvalid)
}

func testRecordingEnds(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	r := f.recording(c)
	s := f.segment(r, 1, c)
	f.begin(r, s)
	open, err := f.s.OpenSegments(ctx, c.Focus.Node)
	f.equal(open, err, []store.RecordingSegment{s})
	begun := s
	s.EndedAt, s.Length, s.Octets, s.Gaps, s.GapTime = t0.Add(time.Hour), 59*time.Minute+20*time.Millisecond, 1<<40, 2, 40*time.Millisecond
	s.Reason, s.Detail, s.Tracks = store.RecordingDiskFull, "no space", []store.ParticipantID{"p", "q"}
	f.must(f.s.PutSegment(ctx, s))
	f.must(f.s.PutSegment(ctx, begun)) // late: it stays ended
	later := s
	later.Octets, later.EndedAt = 5, t0.Add(2*time.Hour)
	f.must(f.s.PutSegment(ctx, later)) // once
	r.StoppedAt, r.StoppedBy, r.Reason = t0.Add(time.Hour), "p", store.RecordingStopped
	f.must(f.s.PutRecording(ctx, r))
	last := r
	last.StoppedAt, last.Reason, last.StoppedBy = t0.Add(2*time.Hour), store.RecordingEnded, ""
	f.must(f.s.PutRecording(ctx, last))
	f.must(f.s.PutRecording(ctx, r)) // the latest end counts
	kept, segments, err := f.s.Recording(ctx, f.own, r.ID)
	f.equal(kept, err, last)
	f.equal(segments, err, []store.RecordingSegment{s})
	open, err = f.s.OpenSegments(ctx, c.Focus.Node)
	if err != nil || len(open) != 0 {
		f.Errorf("open: %+v, %v", open, err)
	}
}

func testRecordingRemoved(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	r := f.recording(c)
	here, there := f.segment(r, 1, c), f.segment(r, 2, c)
	there.Place.Node = "n2"
	f.begin(r, here, there)
	f.is(f.s.RemoveRecording(ctx, f.own, r.ID, t0, "api:desk"), store.ErrInUse)
	r.StoppedAt = t0.Add(time.Minute)
	f.must(f.s.PutRecording(ctx, r))
	f.is(f.s.RemoveRecording(ctx, store.Scope{CustomerID: "somebody"}, r.ID, t0, "api:desk"), store.ErrNotFound)
	f.must(f.s.RemoveRecording(ctx, f.own, r.ID, t0, "api:desk"))
	f.is(f.s.RemoveRecording(ctx, f.own, r.ID, t0, "api:desk"), store.ErrNotFound)
	_, _, err := f.s.Recording(ctx, f.own, r.ID)
	f.is(err, store.ErrNotFound)
	if list, err := f.s.ListRecordings(ctx, everything, store.RecordingFilter{}, store.Page{}); err != nil || len(list) != 0 {
		f.Errorf("%+v, %v", list, err)
	}
	// Each node forgets what it has removed; the rows go with the last.
	for _, s := range []store.RecordingSegment{here, there} {
		if n, err := f.s.ExpireRecordings(ctx, t0, day); err != nil || n != 0 {
			f.Errorf("expired %d, %v", n, err)
		}
		removed, err := f.s.RemovedSegments(ctx, s.Place.Node)
		f.equal(removed, err, []store.RecordingSegment{s})
		f.must(f.s.ForgetSegment(ctx, s.ID))
		f.must(f.s.ForgetSegment(ctx, s.ID))
	}
	_, err = f.s.ExpireRecordings(ctx, t0, day)
	f.must(err)
	f.is(f.s.PutSegment(ctx, here), store.ErrNotFound)
}

func testRecordingsExpire(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	keep := func(days int, stopped time.Time) store.Recording {
		r := f.recording(c)
		r.Retention, r.StoppedAt = days, stopped
		f.begin(r, f.segment(r, 1, c))
		return r
	}
	goesOn := keep(1, time.Time{})
	short, standard, long := keep(1, t0), keep(0, t0), keep(90, t0)
	for _, step := range []struct {
		after    time.Duration
		standard time.Duration
		expired  int
		left     []store.Recording
	}{
		{day - time.Second, 30 * day, 0, []store.Recording{goesOn, short, standard, long}},
		{day, 30 * day, 1, []store.Recording{goesOn, standard, long}},
		{31 * day, 0, 0, []store.Recording{goesOn, standard, long}}, // for ever
		{31 * day, 30 * day, 1, []store.Recording{goesOn, long}},
		{365 * day, 30 * day, 1, []store.Recording{goesOn}},
	} {
		if n, err := f.s.ExpireRecordings(ctx, t0.Add(step.after), step.standard); err != nil || n != step.expired {
			f.Errorf("after %v expired %d, %v", step.after, n, err)
		}
		left, err := f.s.ListRecordings(ctx, f.own, store.RecordingFilter{}, store.Page{})
		f.equal(left, err, step.left)
	}
	if removed, err := f.s.RemovedSegments(ctx, c.Focus.Node); err != nil || len(removed) != 3 {
		f.Errorf("%d segments to be removed, %v", len(removed), err)
	}
}

// A recording whose node has died and that no other goes on with ends with what there is.
func testLostRecordings(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	since := t0.Add(time.Hour)
	for i, node := range []string{"alive", "dead"} {
		f.must(f.s.StartRun(ctx, store.NodeRun{Place: store.Place{Site: "a", Node: node}, Incarnation: 7, StartedAt: t0}))
		f.must(f.s.Heartbeat(ctx, node, 7, since.Add(time.Duration(-i)*time.Minute)))
	}
	begin := func(node string, ended time.Time) store.Recording {
		r := f.recording(c)
		s := f.segment(r, 1, c)
		s.Place.Node, s.Incarnation, s.EndedAt = node, 7, ended
		f.begin(r, s)
		return r
	}
	written, continued := begin("alive", time.Time{}), begin("alive", since)
	lost, dead := begin("alive", since.Add(-time.Second)), begin("dead", time.Time{})
	never, fresh := f.recording(c), f.recording(c)
	fresh.StartedAt = since
	f.begin(never)
	f.begin(fresh)
	lost.StoppedAt, dead.StoppedAt, never.StoppedAt = since.Add(-time.Second), t0.Add(time.Minute), t0
	for _, want := range []int{3, 0} {
		if n, err := f.s.EndLostRecordings(ctx, since); err != nil || n != want {
			f.Errorf("ended %d, %v; want %d", n, err, want)
		}
	}
	for _, want := range []store.Recording{written, continued, lost, dead, never, fresh} {
		if !want.StoppedAt.IsZero() {
			want.Reason = store.RecordingNodeFailure
		}
		got, _, err := f.s.Recording(ctx, f.own, want.ID)
		f.equal(got, err, want)
	}
}

func testRecordingSettings(f *fixture) {
	ctx := f.Context()
	r := f.room("a", "", "")
	r.Recording = store.RecordingSettings{Mode: store.RecordAlways, Format: store.FormatOgg, Tracks: true, Silent: true, Retention: 7}
	r.Keys = map[string]store.Action{"*1": store.ActionRecord}
	made := f.createRoom(r)
	got, err := f.s.Room(ctx, f.own, r.ID)
	f.equal(got, err, made)
	made.Recording = store.RecordingSettings{Mode: store.RecordOnDemand}
	changed, err := f.s.UpdateRoom(ctx, f.own, made)
	f.must(err)
	match, err := f.s.RoomByCode(ctx, r.CodeSpace, made.HostCode)
	f.equal(match, err, store.CodeMatch{Room: changed, Role: store.RoleModerator})
}
