package storetest

import (
	"errors"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
)

var roomTests = []test{
	{"CF3_RoomsAreReadBack", testRoomReadBack},
	{"CF2_RoomsChangeByVersion", testRoomVersions},
	{"CF2_OneOfManyChangesWins", testRoomRace},
	{"CF1_RoomsAreRemoved", testRoomRemoved},
	{"CF2_InvalidRooms", testInvalidRooms},
	{"Paging", testPaging},
}

func testRoomReadBack(f *fixture) {
	ctx := f.Context()
	r := f.room("Vorstand ☎", "", "")
	r.Keys = map[string]store.Action{"*6": store.ActionMuteSelf, "##": store.ActionUnassigned}
	delete(r.Keys, "##")
	r.EndGrace, r.LostGrace = 1500*time.Millisecond, 24*time.Hour
	r.Moderated, r.Music, r.AnnounceCount, r.MaxParticipants, r.Language = true, true, true, 12, "de"
	r.CreatedAt = t0.Add(789).In(time.FixedZone("somewhere", 3600)) // beyond a microsecond, elsewhere
	made := f.createRoom(r)
	if made.Version != 1 || !made.CreatedAt.Equal(t0) || made.CreatedAt.Location() != time.UTC {
		f.Errorf("%+v", made)
	}
	got, err := f.s.Room(ctx, f.own, r.ID)
	f.equal(got, err, made)
	again, err := f.s.CreateRoom(ctx, r, 6) // a repetition: the same codes
	f.equal(again, err, made)
	plain := f.createRoom(f.room("plain", "", ""))
	if got, err := f.s.Room(ctx, f.own, plain.ID); err != nil || got.Keys != nil || !reflect.DeepEqual(got, plain) {
		f.Errorf("%+v, %v", got, err)
	}
	_, err = f.s.Room(ctx, everything, "nothing")
	f.is(err, store.ErrNotFound)
}

func testRoomVersions(f *fixture) {
	ctx := f.Context()
	r := f.createRoom(f.room("a", "", ""))
	change := r
	change.Name, change.HostCode, change.CustomerID, change.AccountID = "b", "77777777", "stolen", "stolen"
	change.CodeSpace, change.CreatedAt, change.UpdatedAt = "stolen", t0.Add(time.Hour), t0.Add(time.Minute)
	changed, err := f.s.UpdateRoom(ctx, f.own, change)
	want := r
	want.Name, want.HostCode, want.UpdatedAt, want.Version = "b", "77777777", t0.Add(time.Minute), 2
	f.equal(changed, err, want)
	got, err := f.s.Room(ctx, f.own, r.ID)
	f.equal(got, err, want)
	_, err = f.s.RoomByCode(ctx, "space", r.HostCode)
	f.is(err, store.ErrNotFound)
	match, err := f.s.RoomByCode(ctx, "space", "77777777")
	f.equal(match, err, store.CodeMatch{Room: want, Role: store.RoleModerator})
	_, err = f.s.UpdateRoom(ctx, f.own, change)
	f.is(err, store.ErrVersion)
	// The codes change places.
	swap := want
	swap.HostCode, swap.GuestCode = want.GuestCode, want.HostCode
	swapped, err := f.s.UpdateRoom(ctx, f.own, swap)
	f.must(err)
	for code, role := range map[string]store.Role{swapped.HostCode: store.RoleModerator, swapped.GuestCode: store.RoleSpeaker} {
		match, err := f.s.RoomByCode(ctx, "space", code)
		f.equal(match, err, store.CodeMatch{Room: swapped, Role: role})
	}
	// A code that is taken changes nothing.
	other := f.createRoom(f.room("other", "55555", "66666"))
	greedy := swapped
	greedy.Name, greedy.GuestCode = "greedy", other.HostCode
	_, err = f.s.UpdateRoom(ctx, f.own, greedy)
	f.is(err, store.ErrConflict)
	got, err = f.s.Room(ctx, f.own, r.ID)
	f.equal(got, err, swapped)
	match, err = f.s.RoomByCode(ctx, "space", other.HostCode)
	f.equal(match, err, store.CodeMatch{Room: other, Role: store.RoleModerator})
	greedy.ID = store.NewRoomID()
	_, err = f.s.UpdateRoom(ctx, f.own, greedy)
	f.is(err, store.ErrNotFound)
}

func testRoomRace(f *fixture) {
	r := f.createRoom(f.room("a", "", ""))
	var won atomic.Int64
	parallel(16, func(i int) {
		change := r
		change.Name, change.HostCode = name("b", i), ""
		change.HostCode = "8" + name("", 1000+i)[1:]
		switch _, err := f.s.UpdateRoom(f.Context(), f.own, change); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, store.ErrVersion):
			f.Error(err)
		}
	})
	got, err := f.s.Room(f.Context(), f.own, r.ID)
	f.must(err)
	match, err := f.s.RoomByCode(f.Context(), "space", got.HostCode)
	if won.Load() != 1 || got.Version != 2 || err != nil || match.Room.ID != r.ID {
		f.Errorf("%d changes of one version; now %+v, %v", won.Load(), got, err)
	}
}

func testRoomRemoved(f *fixture) {
	ctx := f.Context()
	c, p := f.used()
	f.is(f.s.DeleteRoom(ctx, f.own, c.RoomID), store.ErrInUse)
	f.must(f.s.CloseConference(ctx, c.ID, t0.Add(time.Hour), "empty"))
	f.must(f.s.DeleteRoom(ctx, f.own, c.RoomID))
	f.is(f.s.DeleteRoom(ctx, f.own, c.RoomID), store.ErrNotFound)
	_, err := f.s.Room(ctx, f.own, c.RoomID)
	f.is(err, store.ErrNotFound)
	// What was, stays.
	_, err = f.s.Conference(ctx, f.own, c.ID)
	f.must(err)
	_, err = f.s.Participant(ctx, f.own, p.ID)
	f.must(err)
	_, err = f.s.XDR(ctx, f.own, p.ID)
	f.must(err)
}

func testInvalidRooms(f *fixture) {
	for name, spoil := range map[string]func(*store.Room){
		"short code":      func(r *store.Room) { r.HostCode = "123" },
		"long code":       func(r *store.Room) { r.GuestCode = "1234567890123" },
		"letters":         func(r *store.Room) { r.HostCode = "12a4" },
		"other digits":    func(r *store.Room) { r.HostCode = "١٢٣٤" },
		"same codes":      func(r *store.Room) { r.HostCode, r.GuestCode = "4444", "4444" },
		"no name":         func(r *store.Room) { r.Name = "" },
		"no code space":   func(r *store.Room) { r.CodeSpace = "" },
		"grace":           func(r *store.Room) { r.EndGrace = -1 },
		"lost grace":      func(r *store.Room) { r.LostGrace = 25 * time.Hour },
		"limit":           func(r *store.Room) { r.MaxParticipants = -1 },
		"guest role":      func(r *store.Room) { r.GuestRole = "owner" },
		"sound":           func(r *store.Room) { r.EntrySound = "gong" },
		"key":             func(r *store.Room) { r.Keys = map[string]store.Action{"A": store.ActionLock} },
		"recording":       func(r *store.Room) { r.Recording.Mode = "sometimes" },
		"format":          func(r *store.Room) { r.Recording.Format = "mp3" },
		"retention":       func(r *store.Room) { r.Recording.Retention = -1 },
		"action of a key": func(r *store.Room) { r.Keys = map[string]store.Action{"*1": "explode"} },
	} {
		r := f.room("a", "", "")
		spoil(&r)
		if _, err := f.s.CreateRoom(f.Context(), r, 6); !errors.Is(err, store.ErrInvalid) {
			f.Errorf("%s: %v", name, err)
		}
	}
	good := f.createRoom(f.room("a", "", ""))
	good.HostCode = ""
	_, err := f.s.UpdateRoom(f.Context(), f.own, good)
	f.is(err, store.ErrInvalid)
	for _, digits := range []int{3, 13} {
		_, err := f.s.CreateRoom(f.Context(), f.room("a", "", ""), digits)
		f.is(err, store.ErrInvalid)
	}
}

func testPaging(f *fixture) {
	var want []string
	for i := range 21 { // three full pages of 7: the last one is empty
		want = append(want, f.createRoom(f.room(name("room", i), "", "")).Name)
	}
	var got []string
	for _, r := range pages(f, func(p store.Page) ([]store.Room, error) { return f.s.ListRooms(f.Context(), f.own, p) },
		func(r store.Room) string { return string(r.ID) }) {
		got = append(got, r.Name)
	}
	f.equal(got, nil, want)
	for range 80 {
		f.createRoom(f.room("more", "", ""))
	}
	all, err := f.s.ListRooms(f.Context(), f.own, store.Page{})
	if err != nil || len(all) != 100 {
		f.Errorf("%d rooms on a page of no given size, %v", len(all), err)
	}
}
