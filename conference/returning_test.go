package conference

import (
	"errors"
	"testing"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// MS4: an epoch that has ended begins no conference again; a higher one takes the place
// of a lower, whose callers are let go to be moved.
func TestEpochs(t *testing.T) {
	h := newHall(t, nil)
	h.epoch = 5
	first := h.join(store.RoleSpeaker)
	h.epoch = 4
	if _, err := h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "late", Kind: store.KindMain, Epoch: 4}); !errors.Is(err, ErrEpochOver) {
		t.Errorf("a lower epoch: %v", err)
	}
	h.epoch = 6
	second := h.join(store.RoleSpeaker)
	if r := first.released(t); r.Cause != store.CauseMoved {
		t.Errorf("%+v", r)
	}
	h.host.Supersede(h.room.ID, store.KindMain, 6)
	h.host.Supersede(h.room.ID, store.KindMain, 7)
	if r := second.released(t); r.Cause != store.CauseMoved {
		t.Errorf("%+v", r)
	}
	<-second.seat.Conference().closed
	if _, err := h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "late", Kind: store.KindMain, Epoch: 6}); !errors.Is(err, ErrEpochOver) {
		t.Errorf("an epoch that has ended: %v", err)
	}
	// A local conference of the room has nothing to do with these.
	local, err := h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "p", Kind: store.KindLocal, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	local.Cancel()
	<-local.Conference().closed
	// Nor has one that the node hosts alone, under epochs that are its own.
	alone, err := h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "p", Kind: store.KindLocal, Alone: true, Epoch: 1 << 50})
	if err != nil {
		t.Fatal(err)
	}
	local, err = h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "q", Kind: store.KindLocal, Epoch: 2})
	if err != nil || !alone.Conference().Alone() || local.Conference().Alone() {
		t.Fatal("beside one that the node hosts alone: ", err)
	}
	h.host.Supersede(h.room.ID, store.KindLocal, 3)
	alone.Cancel()
	local.Cancel()
}

// MS16: the call knows the latest standing, and who returns with it is muted before the
// first packet, in a conference that is locked and full.
func TestStandingIsKept(t *testing.T) {
	h := newHall(t, func(_ *Config, r *store.Room) { r.MaxParticipants = 1 })
	g := h.join(store.RoleSpeaker)
	c := g.seat.Conference()
	if err := errors.Join(c.SetMuted(g.id, true, By{API: "test"}), c.SetLocked(true, By{API: "test"})); err != nil {
		t.Fatal(err)
	}
	st := <-g.seat.Standing()
	if !st.MutedByModerator || !st.Locked {
		t.Fatalf("%+v", st)
	}
	h.host.Supersede(h.room.ID, store.KindMain, 100)
	g.released(t)
	<-c.closed
	seat, err := h.host.Admit(t.Context(), Admission{Room: h.room, Role: store.RoleSpeaker, Participant: g.id, Kind: store.KindMain, Epoch: 100, Standing: &st})
	if err != nil {
		t.Fatal(err)
	}
	if err := seat.Enter(g.port, nil); err != nil {
		t.Fatal(err)
	}
	if now := <-seat.Standing(); now != st {
		t.Errorf("%+v, had %+v", now, st)
	}
	if _, err := h.host.Admit(t.Context(), Admission{Room: h.room, Role: store.RoleSpeaker, Participant: "stranger", Kind: store.KindMain, Epoch: 100}); !errors.Is(err, roster.ErrLocked) {
		t.Errorf("a stranger: %v", err)
	}
}

// MS8, MS10, MS16: who returns by another call to a conference in which it still has a seat
// has one seat, as it was; the conference goes on, though nobody else is in it, and no one
// is told of a coming or going.
func TestSeatIsSucceeded(t *testing.T) {
	h := newHall(t, nil)
	g := h.join(store.RoleModerator)
	c := g.seat.Conference()
	if err := c.SetMuted(g.id, true, By{API: "test"}); err != nil {
		t.Fatal(err)
	}
	said := func() int64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.seq
	}
	before := said()
	again := func(st roster.Standing) (*Seat, error) {
		return h.host.Admit(t.Context(), Admission{Room: h.room, Role: store.RoleSpeaker, Participant: g.id, Kind: store.KindMain, Epoch: c.Row().Epoch, Standing: &st})
	}
	heir, err := again(roster.Standing{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again(roster.Standing{}); !errors.Is(err, ErrReturning) {
		t.Errorf("a third seat: %v", err)
	}
	heir.Cancel()
	if heir, err = again(roster.Standing{}); err != nil {
		t.Fatal(err)
	}
	port := mixer.NewPort(nil, nil)
	if err := heir.Enter(port, nil); err != nil {
		t.Fatal(err)
	}
	if r := g.released(t); r.Cause != store.CauseMoved {
		t.Errorf("%+v", r)
	}
	if st := <-heir.Standing(); !st.MutedByModerator || st.Role != store.RoleModerator {
		t.Errorf("%+v", st)
	}
	if n := h.host.Load().Seats; n != 1 || c.mixer.Len() != 1 || said() != before {
		t.Errorf("%d seats, %d heard, %d events more", n, c.mixer.Len(), said()-before)
	}
	heir.Leave(store.CauseHangup)
	<-heir.Released()
	<-c.closed
	if n := h.host.Load().Seats; n != 0 {
		t.Errorf("%d seats", n)
	}

	// It leaves while it returns, as the last: the room's conference is located anew.
	g = h.join(store.RoleSpeaker)
	c = g.seat.Conference()
	if heir, err = again(roster.Standing{Role: store.RoleSpeaker}); err != nil {
		t.Fatal(err)
	}
	g.seat.Leave(store.CauseLost)
	g.released(t)
	if err := heir.Enter(mixer.NewPort(nil, nil), nil); !errors.Is(err, roster.ErrEnded) {
		t.Error(err)
	}
	<-c.closed
	if n := h.host.Load().Seats; n != 0 {
		t.Errorf("%d seats", n)
	}
}

// MS4: a room that was given to an earlier run of the node is not this one's: its conference,
// which this one knows nothing of, is not opened a second time.
func TestRoomOfAnEarlierRun(t *testing.T) {
	h := newHall(t, nil)
	a := Admission{Room: h.room, Role: store.RoleSpeaker, Participant: "p", Kind: store.KindMain, Epoch: 9, Run: uint64(h.host.config.Incarnation) + 1}
	if _, err := h.host.Admit(t.Context(), a); !errors.Is(err, ErrEpochOver) {
		t.Errorf("admitted to another run's conference: %v", err)
	}
	a.Run--
	seat, err := h.host.Admit(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	seat.Cancel()
}
