package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
)

var conferenceTests = []test{
	{"MS4_ConferencesAreFencedByEpoch", testEpochs},
	{"MS4_OneOfManyOpens", testOpenRace},
	{"MS5_LocalConferencesStandBeside", testLocal},
	{"MS4_AReplacedFocusAdmitsNobody", testStaleStay},
	{"CF4_ConferencesEndOnce", testConferenceEnds},
	{"CA8_History", testHistory},
	{"MS8_AStayGoesOnElsewhere", testMove},
	{"CF8_Participants", testParticipants},
}

func testEpochs(f *fixture) {
	ctx := f.Context()
	r := f.createRoom(f.room("a", "", ""))
	first := f.conference(r, 5)
	f.must(f.s.OpenConference(ctx, first))
	f.must(f.s.OpenConference(ctx, first)) // a repetition
	got, err := f.s.Conference(ctx, f.own, first.ID)
	f.equal(got, err, first)
	f.is(f.s.OpenConference(ctx, f.conference(r, 4)), store.ErrStaleEpoch)
	f.is(f.s.OpenConference(ctx, f.conference(r, 5)), store.ErrConflict)
	second := f.conference(r, 6)
	second.StartedAt = t0.Add(time.Minute)
	f.must(f.s.OpenConference(ctx, second))
	first.EndedAt, first.EndReason = second.StartedAt, store.EndSuperseded
	got, err = f.s.Conference(ctx, f.own, first.ID)
	f.equal(got, err, first)
	// Its own node knows why, and not another time.
	for _, reason := range []string{store.EndDrain, store.EndSuperseded, store.EndMoved, "empty"} {
		f.must(f.s.CloseConference(ctx, first.ID, t0.Add(time.Hour), reason))
	}
	f.is(f.s.BeginStay(ctx, f.participant(first), 0), store.ErrStaleEpoch)
	first.EndReason = store.EndDrain
	got, err = f.s.Conference(ctx, f.own, first.ID)
	f.equal(got, err, first)
	open, err := f.s.ListConferences(ctx, everything, r.ID, false, store.Page{})
	f.equal(open, err, []store.Conference{second})
	all, err := f.s.ListConferences(ctx, everything, r.ID, true, store.Page{})
	f.equal(all, err, []store.Conference{first, second})
	// The focus that was replaced and repeats its write learns of it.
	f.is(f.s.OpenConference(ctx, f.conference(r, 5)), store.ErrStaleEpoch)
	first.EndedAt, first.EndReason = time.Time{}, ""
	f.is(f.s.OpenConference(ctx, first), store.ErrStaleEpoch)
	// The highest epoch is remembered when nothing is open, and may be used again.
	f.must(f.s.CloseConference(ctx, second.ID, t0.Add(time.Hour), "empty"))
	f.is(f.s.OpenConference(ctx, f.conference(r, 5)), store.ErrStaleEpoch)
	f.must(f.s.OpenConference(ctx, f.conference(r, 6)))
	// One that has ended is recorded as it was, and closes nothing.
	past := f.conference(r, 3)
	past.EndedAt, past.EndReason = t0.Add(time.Minute), "superseded"
	f.must(f.s.OpenConference(ctx, past))
	f.must(f.s.OpenConference(ctx, past))
	got, err = f.s.Conference(ctx, f.own, past.ID)
	f.equal(got, err, past)
	// Other rooms have epochs of their own.
	f.must(f.s.OpenConference(ctx, f.conference(f.createRoom(f.room("b", "", "")), 1)))
	f.is(f.s.OpenConference(ctx, f.conference(r, 1<<63)), store.ErrInvalid)
	epoch, err := f.s.RoomEpoch(ctx, r.ID)
	f.equal(epoch, err, uint64(6))
	epoch, err = f.s.RoomEpoch(ctx, f.createRoom(f.room("c", "", "")).ID)
	f.equal(epoch, err, uint64(0))
}

// Of many nodes that open the same epoch of a room, one succeeds; of many epochs, the
// highest is open in the end.
func testOpenRace(f *fixture) {
	ctx := f.Context()
	r := f.createRoom(f.room("a", "", ""))
	var opened atomic.Int64
	parallel(16, func(int) {
		switch err := f.s.OpenConference(ctx, f.conference(r, 1)); {
		case err == nil:
			opened.Add(1)
		case !errors.Is(err, store.ErrConflict):
			f.Error(err)
		}
	})
	if opened.Load() != 1 {
		f.Errorf("%d opened one epoch", opened.Load())
	}
	parallel(16, func(i int) {
		if err := f.s.OpenConference(ctx, f.conference(r, uint64(2+i))); err != nil && !errors.Is(err, store.ErrStaleEpoch) {
			f.Error(err)
		}
	})
	open, err := f.s.ListConferences(ctx, everything, r.ID, false, store.Page{})
	if err != nil || len(open) != 1 || open[0].Epoch != 17 {
		f.Errorf("open %+v, %v", open, err)
	}
}

func testLocal(f *fixture) {
	ctx := f.Context()
	main := f.open("a")
	for range 2 {
		local := main
		local.ID, local.Kind, local.Epoch = store.NewConferenceID(), store.KindLocal, 0
		f.must(f.s.OpenConference(ctx, local))
		f.must(f.s.OpenConference(ctx, local)) // a repetition
	}
	open, err := f.s.ListConferences(ctx, f.own, main.RoomID, false, store.Page{})
	if err != nil || len(open) != 3 || open[0].Kind != store.KindMain {
		f.Errorf("%+v, %v", open, err)
	}
}

func testStaleStay(f *fixture) {
	ctx := f.Context()
	old := f.open("a")
	before := f.participant(old)
	f.must(f.s.BeginStay(ctx, before, 0))
	next := old
	next.ID, next.Epoch = store.NewConferenceID(), old.Epoch+1
	f.must(f.s.OpenConference(ctx, next))
	f.is(f.s.BeginStay(ctx, f.participant(old), 0), store.ErrStaleEpoch)
	f.must(f.s.BeginStay(ctx, before, 0)) // a repetition of what was in time
	f.must(f.s.BeginStay(ctx, f.participant(next), 0))
	if settled, err := f.s.SettleStay(ctx, record(before, 1)); err != nil || !settled {
		f.Errorf("a stay of before: %v, %v", settled, err)
	}
	f.must(f.s.CloseConference(ctx, next.ID, t0.Add(time.Hour), "empty"))
	f.is(f.s.BeginStay(ctx, f.participant(next), 0), store.ErrClosed)
	unknown := f.participant(next)
	unknown.ConferenceID = "nothing"
	f.is(f.s.BeginStay(ctx, unknown, 0), store.ErrNotFound)
}

func testConferenceEnds(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	f.must(f.s.CloseConference(ctx, c.ID, t0.Add(time.Hour), "empty"))
	f.must(f.s.CloseConference(ctx, c.ID, t0.Add(2*time.Hour), "again"))
	f.must(f.s.OpenConference(ctx, c)) // a repetition, late: it stays closed
	c.EndedAt, c.EndReason = t0.Add(time.Hour), "empty"
	got, err := f.s.Conference(ctx, f.own, c.ID)
	f.equal(got, err, c)
	f.is(f.s.CloseConference(ctx, "nothing", t0, ""), store.ErrNotFound)
	_, err = f.s.Conference(ctx, everything, "nothing")
	f.is(err, store.ErrNotFound)
}

func testHistory(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	events := []store.ConferenceEvent{
		{ConferenceID: c.ID, Seq: 1, At: t0, Kind: "started", Detail: []byte(`{"settings": {"a":1}}`)},
		{ConferenceID: c.ID, Seq: 2, At: t0.Add(time.Second), Kind: "joined", ParticipantID: "p", By: "api:desk"},
		{ConferenceID: c.ID, Seq: 3, At: t0.Add(time.Second), Kind: "muted", ParticipantID: "p"},
	}
	f.must(f.s.AppendConferenceEvents(ctx, events[:2]))
	// What is there stays; what is new is added.
	f.must(f.s.AppendConferenceEvents(ctx, []store.ConferenceEvent{events[0], {ConferenceID: c.ID, Seq: 2, At: t0, Kind: "other"}, events[2]}))
	f.must(f.s.AppendConferenceEvents(ctx, nil))
	got, err := f.s.ConferenceEvents(ctx, f.own, c.ID, time.Time{})
	f.equal(got, err, events)
	got, err = f.s.ConferenceEvents(ctx, f.own, c.ID, t0)
	f.equal(got, err, events[:1])
	// All or none.
	f.is(f.s.AppendConferenceEvents(ctx, []store.ConferenceEvent{
		{ConferenceID: c.ID, Seq: 4, At: t0, Kind: "left"}, {ConferenceID: "nothing", Seq: 1, At: t0, Kind: "left"}}), store.ErrNotFound)
	f.is(f.s.AppendConferenceEvents(ctx, []store.ConferenceEvent{{ConferenceID: c.ID, Seq: 4, At: t0, Kind: "left", Detail: []byte("[]")}}), store.ErrInvalid)
	got, err = f.s.ConferenceEvents(ctx, everything, c.ID, time.Time{})
	f.equal(got, err, events)
	_, err = f.s.ConferenceEvents(ctx, everything, "nothing", time.Time{})
	f.is(err, store.ErrNotFound)
}

func testParticipants(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	p := f.participant(c)
	p.Owner, p.Role, p.Ingress = true, store.RoleModerator, store.Place{Site: "b", Node: "n7"}
	p.Rate.AccessNumber = "1866"
	p.Epoch, p.Incarnation = 1<<63-1, 1<<62
	f.must(f.s.BeginStay(ctx, p, 0))
	got, err := f.s.Participant(ctx, f.own, p.ID)
	f.equal(got, err, p)
	gone := f.participant(c)
	f.must(f.s.BeginStay(ctx, gone, 0))
	_, err = f.s.SettleStay(ctx, record(gone, 1))
	f.must(err)
	gone.LeftAt, gone.Cause = t0.Add(time.Minute), store.CauseHangup
	in, err := f.s.ListParticipants(ctx, f.own, c.ID, false, store.Page{})
	f.equal(in, err, []store.Participant{p})
	in, err = f.s.ListParticipants(ctx, everything, c.ID, true, store.Page{})
	f.equal(in, err, []store.Participant{p, gone})
	in, err = f.s.ListParticipants(ctx, everything, "", true, store.Page{After: string(p.ID)})
	f.equal(in, err, []store.Participant{gone})
	f.must(f.s.SetParticipantRole(ctx, p.ID, store.RoleListenOnly, false))
	f.must(f.s.SetParticipantRole(ctx, p.ID, store.RoleListenOnly, false)) // a repetition
	p.Role, p.Owner = store.RoleListenOnly, false
	got, err = f.s.Participant(ctx, f.own, p.ID)
	f.equal(got, err, p)
	f.is(f.s.SetParticipantRole(ctx, "nobody", store.RoleSpeaker, false), store.ErrNotFound)
	_, err = f.s.Participant(ctx, everything, "nobody")
	f.is(err, store.ErrNotFound)
}

// A stay goes on in another conference of the room, until it has ended.
func testMove(f *fixture) {
	ctx := f.Context()
	from, to := f.open("a"), f.open("b")
	p := f.participant(from)
	f.must(f.s.BeginStay(ctx, p, 0))
	elsewhere := store.Place{Site: "b", Node: "n9"}
	f.must(f.s.MoveParticipant(ctx, p.ID, to.ID, elsewhere, 77))
	f.must(f.s.MoveParticipant(ctx, p.ID, to.ID, elsewhere, 77)) // a repetition
	p.ConferenceID, p.Focus, p.Epoch = to.ID, elsewhere, 77
	got, err := f.s.Participant(ctx, f.own, p.ID)
	f.equal(got, err, p)
	in, err := f.s.ListParticipants(ctx, f.own, to.ID, false, store.Page{})
	f.equal(in, err, []store.Participant{p})
	_, err = f.s.SettleStay(ctx, record(p, 1))
	f.must(err)
	f.is(f.s.MoveParticipant(ctx, p.ID, from.ID, elsewhere, 78), store.ErrNotFound)
}
