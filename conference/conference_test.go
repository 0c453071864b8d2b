package conference

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps what a host records.
type memory struct {
	mu     sync.Mutex
	opened []store.Conference
	closed map[store.ConferenceID]string
	events map[store.ConferenceID][]store.ConferenceEvent
	refuse error

	recordings map[store.RecordingID]store.Recording
	segments   map[store.SegmentID]store.RecordingSegment
}

func newMemory() *memory {
	return &memory{closed: map[store.ConferenceID]string{}, events: map[store.ConferenceID][]store.ConferenceEvent{},
		recordings: map[store.RecordingID]store.Recording{}, segments: map[store.SegmentID]store.RecordingSegment{}}
}

func (m *memory) OpenConference(_ context.Context, c store.Conference) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	for _, o := range m.opened {
		if _, ended := m.closed[o.ID]; c.Kind == store.KindMain && o.Kind == c.Kind && o.RoomID == c.RoomID && !ended {
			return store.ErrConflict
		}
	}
	m.opened = append(m.opened, c)
	return nil
}

func (m *memory) CloseConference(_ context.Context, id store.ConferenceID, _ time.Time, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed[id] = reason
	return nil
}

func (m *memory) AppendConferenceEvents(_ context.Context, events []store.ConferenceEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		m.events[e.ConferenceID] = append(m.events[e.ConferenceID], e)
	}
	return nil
}

func (m *memory) SetParticipantRole(context.Context, store.ParticipantID, store.Role, bool) error {
	return nil
}

func (m *memory) PutRecording(_ context.Context, r store.Recording) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recordings[r.ID].StoppedAt.Before(r.StoppedAt) || m.recordings[r.ID].ID == "" {
		m.recordings[r.ID] = r
	}
	return nil
}

func (m *memory) PutSegment(_ context.Context, s store.RecordingSegment) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.segments[s.ID].EndedAt.IsZero() {
		m.segments[s.ID] = s
	}
	return nil
}

// hall is a host with everything around it, and a clock that the test moves.
type hall struct {
	t      *testing.T
	host   *Host
	engine *engine.Engine
	ports  *session.Ports
	clock  *clockwork.FakeClock
	store  *memory
	room   store.Room
	next   int
	epoch  uint64
}

func newHall(t *testing.T, change func(*Config, *store.Room)) *hall {
	t.Helper()
	prompts, err := prompt.Load()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), 31000, 31999)
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{t: t, engine: engine.New(1), ports: ports, store: newMemory(),
		clock: clockwork.NewFakeClockAt(time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)),
		room:  store.Room{ID: "room", AccountID: "account", Name: "Test", GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, Music: true}}
	c := Config{Place: store.Place{Site: "a", Node: "n"}, Engine: h.engine, Store: h.store, Prompts: prompts,
		Clock: h.clock, Logger: hclog.NewNullLogger()}
	if change != nil {
		change(&c, &h.room)
	}
	h.host = NewHost(c)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- h.engine.Run(ctx) }()
	go func() { done <- h.host.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	if err := h.clock.BlockUntilContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return h
}

// guest is one who is in, or has a seat.
type guest struct {
	id   store.ParticipantID
	seat *Seat
	port *mixer.Port
}

func (h *hall) admit(role store.Role) (guest, error) {
	h.next++
	g := guest{id: store.ParticipantID(fmt.Sprint("p", h.next))}
	var err error
	g.seat, err = h.host.Admit(h.t.Context(), Admission{Room: h.room, Role: role, Participant: g.id, Kind: store.KindMain, Epoch: h.epoch})
	if errors.Is(err, ErrEpochOver) { // as the locator does for who asks anew
		h.epoch++
		return h.admit(role)
	}
	return g, err
}

func (h *hall) join(role store.Role) guest {
	h.t.Helper()
	g, err := h.admit(role)
	if err != nil {
		h.t.Fatal(err)
	}
	media, err := session.Open(h.ports, codec.NewRegistry())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(media.Close)
	g.port = mixer.NewPort(media, nil)
	if err := g.seat.Enter(g.port, nil); err != nil {
		h.t.Fatal(err)
	}
	return g
}

// press sends keys.
func (g guest) press(keys string) {
	for _, k := range []byte(keys) {
		g.seat.Key(k)
	}
}

// member is the roster's view of a guest.
func (h *hall) member(g guest) *roster.Member {
	c := g.seat.Conference()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.roster.Member(g.id)
}

func (g guest) released(t *testing.T) Release {
	t.Helper()
	select {
	case r := <-g.seat.Released():
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("not released")
		panic("unreachable")
	}
}

// CF6: the keys of guests and of moderators.
func TestKeys(t *testing.T) {
	h := newHall(t, nil)
	host, g, g2 := h.join(store.RoleModerator), h.join(store.RoleSpeaker), h.join(store.RoleSpeaker)
	g.press("*6")
	if !h.member(g).Muted {
		t.Error("*6 did not mute")
	}
	g.press("*6*3")
	if m := h.member(g); m.Muted || !m.HandRaised {
		t.Errorf("*6 *3: %+v", m)
	}
	g.press("*5*7##") // not a guest's to press
	if c := g.seat.Conference(); c.roster.AllMuted() || c.roster.Locked() || c.roster.Ended() {
		t.Error("a guest did what only a moderator may")
	}
	host.press("*5*7")
	if m := h.member(g2); !m.MutedByModerator {
		t.Errorf("mute all: %+v", m)
	}
	if _, err := h.admit(store.RoleSpeaker); !errors.Is(err, roster.ErrLocked) {
		t.Errorf("a locked conference lets in: %v", err)
	}
	host.press("*#")
	if r := g2.released(t); r.Cause != store.CauseEjected || !slices.Contains(r.Prompts, prompt.Ejected) {
		t.Errorf("%+v", r)
	}
	host.press("##")
	for _, x := range []guest{host, g} {
		if r := x.released(t); r.Cause != store.CauseEnded {
			t.Errorf("%+v", r)
		}
	}
}

// CF9: each limit refuses with an error of its own.
func TestLimits(t *testing.T) {
	h := newHall(t, func(c *Config, r *store.Room) { c.MaxParticipants, r.MaxParticipants = 3, 2 })
	h.join(store.RoleSpeaker)
	h.join(store.RoleSpeaker)
	if _, err := h.admit(store.RoleSpeaker); !errors.Is(err, roster.ErrFull) {
		t.Errorf("room: %v", err)
	}
	h.room.ID = "another"
	if _, err := h.host.Admit(t.Context(), Admission{Room: h.room, Participant: "x", AccountLimit: 2}); !errors.Is(err, ErrAccountFull) {
		t.Errorf("account: %v", err)
	}
	h.join(store.RoleSpeaker)
	if _, err := h.admit(store.RoleSpeaker); !errors.Is(err, ErrNodeFull) {
		t.Errorf("node: %v", err)
	}
	if l := h.host.Load(); l.Seats != 3 || l.Conferences != 2 {
		t.Errorf("refused calls are counted: %+v", l)
	}
}

// CF5: the conference ends after its grace, by the clock.
func TestModeratedEnd(t *testing.T) {
	h := newHall(t, func(_ *Config, r *store.Room) { r.Moderated, r.EndGrace = true, 30*time.Second })
	g := h.join(store.RoleSpeaker)
	host := h.join(store.RoleModerator)
	host.seat.Leave(store.CauseHangup)
	host.released(t)
	h.clock.Advance(31 * time.Second)
	if r := g.released(t); r.Cause != store.CauseEnded || !slices.Contains(r.Prompts, prompt.ConferenceEnded) {
		t.Errorf("%+v", r)
	}
}

// CF4: a conference costs nothing before its first seat and after its last.
func TestNothingIsLeft(t *testing.T) {
	h := newHall(t, nil)
	before := 0
	for i := range 101 {
		if i == 1 {
			before = runtime.NumGoroutine() // what the host and its parts need is there now
		}
		a, b := h.join(store.RoleSpeaker), h.join(store.RoleModerator)
		for h.engine.Load().Ticks == 0 {
			runtime.Gosched() // until the engine runs
		}
		a.seat.Leave(store.CauseHangup)
		b.seat.Leave(store.CauseHangup)
		a.port.Media().Close()
		b.port.Media().Close()
	}
	reserved, err := h.admit(store.RoleSpeaker)
	if err != nil {
		t.Fatal(err)
	}
	reserved.seat.Cancel()
	<-reserved.seat.Conference().closed
	if l := h.host.Load(); l != (Load{}) {
		t.Errorf("%+v", l)
	}
	if n := h.engine.Load().Tickers; n != 0 {
		t.Errorf("%d mixers still tick", n)
	}
	if n := h.ports.InUse(); n != 0 {
		t.Errorf("%d port pairs in use", n)
	}
	// One that has told that it is done may not be gone yet.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
	if len(h.store.opened) != 102 || len(h.store.closed) != 102 {
		t.Errorf("%d opened, %d closed", len(h.store.opened), len(h.store.closed))
	}
}

// The next conference of a room begins when the last one's end is written.
func TestRoomIsUsedAgain(t *testing.T) {
	h := newHall(t, nil)
	for range 20 {
		g := h.join(store.RoleSpeaker)
		g.seat.Leave(store.CauseHangup)
	}
	if n := len(h.store.opened); n != 20 {
		t.Errorf("%d conferences, want 20", n)
	}
}

func TestStoreRefusingTheConferenceIsTold(t *testing.T) {
	h := newHall(t, nil)
	h.store.refuse = store.ErrStaleEpoch
	if _, err := h.admit(store.RoleSpeaker); !errors.Is(err, store.ErrStaleEpoch) {
		t.Errorf("%v", err)
	}
	if l := h.host.Load(); l != (Load{}) {
		t.Errorf("%+v", l)
	}
	h.store.refuse = nil
	h.join(store.RoleSpeaker)
}

// CA8: the history gives back who was in at any instant.
func TestHistory(t *testing.T) {
	h := newHall(t, nil)
	start := h.clock.Now()
	a := h.join(store.RoleModerator)
	h.clock.Advance(10 * time.Second)
	b := h.join(store.RoleSpeaker)
	h.clock.Advance(10 * time.Second)
	b.press("*6")
	h.clock.Advance(10 * time.Second)
	a.seat.Leave(store.CauseHangup)
	b.seat.Leave(store.CauseHangup)
	c := b.seat.Conference()
	<-c.closed
	at := func(d time.Duration) *roster.Roster {
		rows := slices.DeleteFunc(slices.Clone(h.store.events[c.ID()]), func(e store.ConferenceEvent) bool { return e.At.After(start.Add(d)) })
		for i, row := range rows {
			if row.Seq != int64(i+1) {
				t.Fatalf("event %d has number %d", i+1, row.Seq)
			}
		}
		events, err := History(rows)
		if err != nil {
			t.Fatal(err)
		}
		return roster.Replay(events)
	}
	if r := at(5 * time.Second); r.Len() != 1 || !r.Member(a.id).Owner {
		t.Errorf("after 5 s: %d in", r.Len())
	}
	if r := at(15 * time.Second); !r.Hears(a.id, b.id) {
		t.Error("after 15 s a did not hear b")
	}
	if r := at(25 * time.Second); r.Hears(a.id, b.id) || !r.Hears(b.id, a.id) {
		t.Error("after 25 s: who heard whom is wrong")
	}
	if r := at(time.Hour); !r.Ended() || r.Len() != 0 {
		t.Error("it did not end")
	}
}

// A node that stops lets everybody go, and the ends are written.
func TestShutdown(t *testing.T) {
	h := newHall(t, nil)
	g := h.join(store.RoleSpeaker)
	g.seat.Conference().releaseAll(store.CauseShutdown, string(store.CauseShutdown))
	if r := g.released(t); r.Cause != store.CauseShutdown {
		t.Errorf("%+v", r)
	}
	<-g.seat.Conference().closed
}

func TestKeypad(t *testing.T) {
	now := time.Unix(0, 0)
	k := newKeypad(map[string]store.Action{"1": store.ActionRaiseHand, "*6": store.ActionMuteSelf, "##": store.ActionEnd})
	for _, c := range []struct {
		digits string
		pause  time.Duration
		want   store.Action
		known  bool
	}{
		{"1", 0, store.ActionRaiseHand, true},
		{"*6", 0, store.ActionMuteSelf, true},
		{"*6", keyPause + 1, store.ActionUnassigned, true}, // too slow: a lone 6 means nothing, silently
		{"*9", 0, store.ActionUnassigned, false},
		{"#", 0, store.ActionUnassigned, true},
		{"#", 0, store.ActionEnd, true},
		{"7", 0, store.ActionUnassigned, true},
	} {
		var action store.Action
		var known bool
		for i, d := range []byte(c.digits) {
			if i > 0 {
				now = now.Add(c.pause)
			}
			action, known = k.press(now, d)
		}
		if action != c.want || known != c.known {
			t.Errorf("%q after %v: %q, %v; want %q, %v", c.digits, c.pause, action, known, c.want, c.known)
		}
	}
}
