package roster

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
)

var t0 = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

const (
	ann store.ParticipantID = "ann"
	bob store.ParticipantID = "bob"
	cy  store.ParticipantID = "cy"
	dee store.ParticipantID = "dee"
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func join(t *testing.T, r *Roster, now time.Time, id store.ParticipantID, role store.Role) {
	t.Helper()
	if _, err := r.Join(now, id, role, string(id)); err != nil {
		t.Fatalf("join %s: %v", id, err)
	}
}

// hearing writes who hears whom as "ann<bob,cy bob<ann …".
func hearing(r *Roster) string {
	text := ""
	for _, l := range r.Members() {
		text += string(l.ID) + "<"
		for _, s := range r.Members() {
			if r.Hears(l.ID, s.ID) {
				text += string(s.ID) + ","
			}
		}
		text += " "
	}
	return text
}

// CF8: who hears whom, by role and mode.
func TestWhoHearsWhom(t *testing.T) {
	r, _ := Start(t0, Settings{})
	join(t, r, t0, ann, store.RoleModerator)
	join(t, r, t0, bob, store.RoleSpeaker)
	join(t, r, t0, cy, store.RoleListenOnly)
	check := func(what, want string) {
		t.Helper()
		if got := hearing(r); got != want {
			t.Errorf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	check("all as they came", "ann<bob, bob<ann, cy<ann,bob, ")
	r.SetMuted(t0, bob, true, By{Participant: bob})
	check("bob muted himself", "ann< bob<ann, cy<ann, ")
	r.SetMuted(t0, bob, false, By{Participant: bob})
	r.SetHold(t0, ann, true)
	check("ann holds", "ann< bob< cy<bob, ")
	r.SetHold(t0, ann, false)
	r.SetAllMuted(t0, true, By{Participant: ann})
	check("all muted", "ann< bob<ann, cy<ann, ")
	join(t, r, t0, dee, store.RoleSpeaker)
	check("dee comes into the muted conference", "ann< bob<ann, cy<ann, dee<ann, ")
	r.SetRole(t0, dee, store.RoleModerator, By{Participant: ann})
	check("dee is made a moderator", "ann<dee, bob<ann,dee, cy<ann,dee, dee<ann, ")
	r.SetAllMuted(t0, false, By{API: "desk"})
	check("all unmuted", "ann<bob,dee, bob<ann,dee, cy<ann,bob,dee, dee<ann,bob, ")
}

// CF5: guests wait with music until a moderator is in.
func TestModeratedRoomWaits(t *testing.T) {
	r, _ := Start(t0, Settings{Moderated: true, Music: true})
	join(t, r, t0, bob, store.RoleSpeaker)
	join(t, r, t0, cy, store.RoleSpeaker)
	if r.Hears(bob, cy) || r.Mode(bob) != (Mode{Music: true}) {
		t.Errorf("guests are not waiting: %+v", r.Mode(bob))
	}
	join(t, r, at(5), ann, store.RoleModerator)
	if !r.Hears(bob, cy) || r.Mode(bob).Music || !r.Member(ann).Owner {
		t.Error("the moderator's coming did not open the conference")
	}
}

// CF5: the end after the last moderator has gone, and what prevents it.
func TestEndOfModeratedConference(t *testing.T) {
	settings := Settings{Moderated: true, EndGrace: 30 * time.Second, LostGrace: time.Minute}
	begin := func(t *testing.T, s Settings) *Roster {
		r, _ := Start(t0, s)
		join(t, r, t0, ann, store.RoleModerator)
		join(t, r, t0, bob, store.RoleSpeaker)
		return r
	}
	t.Run("ends after the grace", func(t *testing.T) {
		r := begin(t, settings)
		r.Leave(at(10), ann, store.CauseHangup, By{Participant: ann})
		if ev := r.Tick(at(39)); ev != nil || r.Ended() {
			t.Fatalf("ended early: %v", ev)
		}
		if r.Tick(at(40)); !r.Ended() {
			t.Error("did not end")
		}
	})
	t.Run("a moderator who comes back prevents it", func(t *testing.T) {
		r := begin(t, settings)
		r.Leave(at(10), ann, store.CauseHangup, By{Participant: ann})
		join(t, r, at(20), cy, store.RoleModerator)
		if r.Tick(at(100)); r.Ended() || !r.Member(cy).Owner {
			t.Error("ended, or the new moderator does not own it")
		}
	})
	t.Run("another moderator prevents it", func(t *testing.T) {
		r := begin(t, settings)
		r.SetRole(t0, bob, store.RoleModerator, By{Participant: ann})
		r.Leave(at(10), ann, store.CauseHangup, By{Participant: ann})
		if r.Tick(at(100)); r.Ended() || !r.Member(bob).Owner {
			t.Error("ended, or ownership was not passed on")
		}
	})
	t.Run("one who is lost has a grace of its own", func(t *testing.T) {
		r := begin(t, settings)
		r.Leave(at(10), ann, store.CauseLost, By{})
		if r.Tick(at(69)); r.Ended() {
			t.Fatal("ended by the wrong grace")
		}
		if r.Tick(at(70)); !r.Ended() {
			t.Error("did not end")
		}
	})
	t.Run("losing one ends nothing where the room says so", func(t *testing.T) {
		r := begin(t, Settings{Moderated: true})
		r.Leave(at(10), ann, store.CauseNodeFailure, By{})
		if r.Tick(at(1e6)); r.Ended() {
			t.Error("a partition ended the conference")
		}
	})
	t.Run("without a grace it ends at once", func(t *testing.T) {
		r := begin(t, Settings{Moderated: true})
		r.Leave(at(10), ann, store.CauseHangup, By{})
		if !r.Ended() {
			t.Error("did not end")
		}
	})
}

// CF9, CF6: lock, limit, and who may do what.
func TestRefusals(t *testing.T) {
	r, _ := Start(t0, Settings{MaxParticipants: 3})
	join(t, r, t0, ann, store.RoleModerator)
	join(t, r, t0, bob, store.RoleSpeaker)
	r.SetLocked(t0, true, By{Participant: ann})
	if _, err := r.Join(t0, cy, store.RoleSpeaker, ""); !errors.Is(err, ErrLocked) {
		t.Errorf("join a locked conference: %v", err)
	}
	join(t, r, t0, dee, store.RoleModerator)
	if _, err := r.Join(t0, cy, store.RoleModerator, ""); !errors.Is(err, ErrFull) {
		t.Errorf("join a full conference: %v", err)
	}
	if _, err := r.End(t0, By{Participant: bob}); !errors.Is(err, ErrForbidden) {
		t.Errorf("a guest ends the conference: %v", err)
	}
	r.SetMuted(t0, bob, true, By{Participant: ann})
	if _, err := r.SetMuted(t0, bob, false, By{Participant: bob}); !errors.Is(err, ErrHardMuted) {
		t.Errorf("bob outweighs the moderator: %v", err)
	}
	if _, err := r.Eject(t0, cy, By{API: "desk"}); !errors.Is(err, ErrNotIn) {
		t.Errorf("eject nobody: %v", err)
	}
}

// Whatever happens: one owner as long as there is a moderator, the history gives
// back the state, nobody hears while waiting, and an ended conference stays so.
func TestInvariantsUnderRandomCommands(t *testing.T) {
	ids := []store.ParticipantID{ann, bob, cy, dee}
	roles := []store.Role{store.RoleModerator, store.RoleSpeaker, store.RoleListenOnly}
	rapid.Check(t, func(t *rapid.T) {
		r, history := Start(t0, Settings{
			Moderated: rapid.Bool().Draw(t, "moderated"),
			EndGrace:  rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "endGrace"),
			LostGrace: rapid.SampledFrom([]time.Duration{0, 20 * time.Second}).Draw(t, "lostGrace"),
		})
		now := t0
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 15).Draw(t, "seconds")) * time.Second)
			id, other := rapid.SampledFrom(ids).Draw(t, "id"), rapid.SampledFrom(ids).Draw(t, "other")
			on, by := rapid.Bool().Draw(t, "on"), By{Participant: other}
			var events []Event
			switch rapid.IntRange(0, 10).Draw(t, "command") {
			case 0, 1, 2:
				events, _ = r.Join(now, id, rapid.SampledFrom(roles).Draw(t, "role"), "")
			case 3:
				cause := rapid.SampledFrom([]store.ReleaseCause{store.CauseHangup, store.CauseLost}).Draw(t, "cause")
				events = r.Leave(now, id, cause, by)
			case 4:
				events, _ = r.SetMuted(now, id, on, by)
			case 5:
				events, _ = r.SetAllMuted(now, on, by)
			case 6:
				events, _ = r.SetLocked(now, on, by)
			case 7:
				events, _ = r.SetRole(now, id, rapid.SampledFrom(roles).Draw(t, "role"), by)
			case 8:
				events = r.SetHold(now, id, on)
			case 9:
				events, _ = r.Eject(now, id, by)
			case 10:
				events = r.Tick(now)
			}
			history = append(history, events...)
			owners := 0
			for _, m := range r.Members() {
				if m.Owner {
					owners++
					if !m.Moderates() {
						t.Fatalf("step %d: %s owns but does not moderate", i, m.ID)
					}
				}
			}
			if want := min(r.Moderators(), 1); owners != want {
				t.Fatalf("step %d: %d owners, %d moderators", i, owners, r.Moderators())
			}
			if !r.Open() && r.Moderators() > 0 {
				t.Fatalf("step %d: waiting although a moderator is in", i)
			}
			if r.Ended() && len(events) > 0 && events[len(events)-1].Kind != Ended {
				t.Fatalf("step %d: %v after the end", i, events)
			}
		}
		if again := Replay(recorded(t, history)); !reflect.DeepEqual(again, r) {
			t.Fatalf("the history gives another state:\n%s\n%s", dump(again), dump(r))
		}
	})
}

// recorded passes the events through JSON, as the store does.
func recorded(t *rapid.T, events []Event) []Event {
	var list []Event
	for _, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back := Event{Kind: e.Kind, At: e.At, Participant: e.Participant, By: e.By}
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		list = append(list, back)
	}
	return list
}

func dump(r *Roster) string {
	text := fmt.Sprintf("%+v", *r)
	for _, m := range r.members {
		text += fmt.Sprintf("\n  %+v", *m)
	}
	return text
}

// MS8, MS16: who returns has what it had, the conference is what it was, and the history
// says so.
func TestReturn(t *testing.T) {
	now := time.Unix(1000, 0)
	before, _ := Start(now, Settings{Moderated: true, MaxParticipants: 2})
	join := func(id store.ParticipantID, role store.Role) {
		t.Helper()
		if _, err := before.Join(now, id, role, "caller "+string(id)); err != nil {
			t.Fatal(err)
		}
	}
	join("host", store.RoleModerator)
	join("guest", store.RoleSpeaker)
	_, _ = before.SetAllMuted(now, true, By{Participant: "host"})
	_, _ = before.SetLocked(now, true, By{Participant: "host"})
	_, _ = before.SetMuted(now, "host", true, By{Participant: "host"})

	after, history := Start(now, Settings{Moderated: true, MaxParticipants: 2})
	for _, id := range []store.ParticipantID{"guest", "host"} { // the moderator is late
		st, _ := before.Standing(id)
		events, err := after.Return(now, id, "caller "+string(id), st)
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, events...)
		if again, _ := after.Return(now, id, "", st); again != nil {
			t.Errorf("%s returned twice: %v", id, again)
		}
	}
	for _, r := range []*Roster{after, Replay(history)} {
		for _, id := range []store.ParticipantID{"host", "guest"} {
			was, _ := before.Standing(id)
			if is, in := r.Standing(id); !in || is != was {
				t.Errorf("%s has %+v, had %+v", id, is, was)
			}
			if r.Mode(id) != before.Mode(id) {
				t.Errorf("%s: %+v, was %+v", id, r.Mode(id), before.Mode(id))
			}
		}
		if err := r.Admits(store.RoleSpeaker); err != ErrLocked {
			t.Errorf("a stranger: %v", err)
		}
	}
	// One who was unmuted after all were muted stays so, whoever returns after it.
	st := Standing{Role: store.RoleSpeaker, AllMuted: true, Open: true}
	third, _ := Start(now, Settings{})
	_, _ = third.Return(now, "unmuted", "", st)
	st.MutedByModerator = true
	_, _ = third.Return(now, "muted", "", st)
	if !third.Mode("unmuted").Speaks || third.Mode("muted").Speaks {
		t.Error("who was unmuted is not the one who speaks")
	}
}
