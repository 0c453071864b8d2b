package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
)

var codeTests = []test{
	{"CF2_ACodeIdentifiesRoomAndRole", testCodes},
	{"CF2_RandomCodesNeverCollide", testRandomCodes},
	{"CF2_OneOfManyGetsACode", testCodeRace},
	{"CF2_AFullSpaceSaysSo", testFullSpace},
	{"CF2_ManyRoomsOnOneNumber", testManyRooms},
}

func testCodes(f *fixture) {
	ctx := f.Context()
	a := f.createRoom(f.room("a", "987654", "000000"))
	for code, role := range map[string]store.Role{"987654": store.RoleModerator, "000000": store.RoleSpeaker} {
		m, err := f.s.RoomByCode(ctx, "space", code)
		f.equal(m, err, store.CodeMatch{Room: a, Role: role})
	}
	for _, wrong := range []struct{ space, code string }{{"elsewhere", "987654"}, {"space", "98765"}, {"space", ""}, {"space", "\xff\x00"}} {
		_, err := f.s.RoomByCode(ctx, wrong.space, wrong.code)
		f.is(err, store.ErrNotFound)
	}
	// A code that is taken: the error says where, and neither whose nor which.
	for _, r := range []store.Room{f.room("b", "000000", "555555"), f.room("b", "555555", "987654")} {
		_, err := f.s.CreateRoom(ctx, r, 6)
		f.is(err, store.ErrConflict)
		if err != nil && (!strings.Contains(err.Error(), `"space"`) || strings.Contains(err.Error(), string(a.ID)) || strings.Contains(err.Error(), "987654")) {
			f.Error(err)
		}
	}
	_, err := f.s.RoomByCode(ctx, "space", "555555") // nothing was left behind
	f.is(err, store.ErrNotFound)
	elsewhere := f.room("c", "987654", "123456")
	elsewhere.CodeSpace = "elsewhere"
	f.createRoom(elsewhere)
	// Freed codes can be taken again.
	f.must(f.s.DeleteRoom(ctx, everything, a.ID))
	f.createRoom(f.room("d", "000000", "987654"))
	// One code given, one random.
	if r := f.createRoom(f.room("e", "1111", "")); r.HostCode != "1111" || len(r.GuestCode) != 6 {
		f.Errorf("%+v", r)
	}
}

// A space of 10,000 codes, tried in parallel: no code is given twice.
func testRandomCodes(f *fixture) {
	var mu sync.Mutex
	seen := map[string]bool{}
	parallel(64, func(i int) {
		kept, err := f.s.CreateRoom(f.Context(), f.room(name("parallel", i), "", ""), 4)
		mu.Lock()
		defer mu.Unlock()
		for _, code := range []string{kept.HostCode, kept.GuestCode} {
			if err != nil || len(code) != 4 || seen[code] {
				f.Errorf("code %q, given before: %v, %v", code, seen[code], err)
			}
			seen[code] = true
		}
	})
}

func testCodeRace(f *fixture) {
	var got atomic.Int64
	parallel(16, func(i int) {
		switch _, err := f.s.CreateRoom(f.Context(), f.room(name("room", i), "424242", ""), 6); {
		case err == nil:
			got.Add(1)
		case !errors.Is(err, store.ErrConflict):
			f.Error(err)
		}
	})
	rooms, err := f.s.ListRooms(f.Context(), f.own, store.Page{})
	if got.Load() != 1 || err != nil || len(rooms) != 1 {
		f.Errorf("%d got the code, %d rooms, %v", got.Load(), len(rooms), err)
	}
	// The same room, created by many at once, is one room.
	r := f.room("same", "", "")
	made := make([]store.Room, 16)
	parallel(len(made), func(i int) {
		var err error
		if made[i], err = f.s.CreateRoom(f.Context(), r, 6); err != nil {
			f.Error(err)
		}
	})
	for _, m := range made {
		f.equal(m, nil, made[0])
	}
}

func testFullSpace(f *fixture) {
	_, err := f.s.Once(f.Context(), "fill", func(ctx context.Context, tx store.Store) error {
		for i := range 5000 {
			if _, err := tx.CreateRoom(ctx, f.room("full", fmt.Sprintf("%04d", 2*i), fmt.Sprintf("%04d", 2*i+1)), 4); err != nil {
				return err
			}
		}
		return nil
	})
	f.must(err)
	_, err = f.s.CreateRoom(f.Context(), f.room("one too many", "", ""), 4)
	f.is(err, store.ErrNoFreeCode)
	f.createRoom(f.room("longer codes", "", ""))
}

// testManyRooms makes 10,000 rooms, or as many as CONCLAVE_TEST_ROOMS says: 100,000
// take 14 s on SQLite and 54 s on PostgreSQL, on two cores without the race detector.
func testManyRooms(f *fixture) {
	const batch = 1000
	batches := 10
	if n, err := strconv.Atoi(os.Getenv("CONCLAVE_TEST_ROOMS")); err == nil {
		batches = (n + batch - 1) / batch
	}
	began := time.Now()
	for b := range batches {
		_, err := f.s.Once(f.Context(), name("many", b), func(ctx context.Context, tx store.Store) error {
			for i := range batch {
				if _, err := tx.CreateRoom(ctx, f.room(name("room", i), "", ""), 8); err != nil {
					return err
				}
			}
			return nil
		})
		f.must(err)
	}
	f.Logf("%d rooms made in %v", batches*batch, time.Since(began).Round(time.Millisecond))
	codes, total := map[string]bool{}, 0
	for page := (store.Page{Limit: batch}); ; {
		rooms, err := f.s.ListRooms(f.Context(), everything, page)
		f.must(err)
		for _, r := range rooms {
			codes[r.HostCode], codes[r.GuestCode] = true, true
			page.After = string(r.ID)
		}
		if total += len(rooms); len(rooms) < batch {
			break
		}
	}
	if total != batches*batch || len(codes) != 2*total {
		f.Errorf("%d rooms with %d codes", total, len(codes))
	}
}
