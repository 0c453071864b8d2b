package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/api/v1"
)

// put sends a request as the operator and reads the answer; it wants a status.
func put[T any](f *fixture, want int, method, path, body string) (out T) {
	f.Helper()
	status, text := f.ask("operator", method, path, body)
	if status != want {
		f.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if status != http.StatusNoContent {
		f.must(json.Unmarshal([]byte(text), &out))
	}
	return out
}

// CF1, CF2: rooms are made with random codes, changed, and removed.
func TestRooms(t *testing.T) {
	f := newFixture(t, false)
	f.must(f.store.CloseConference(t.Context(), f.one.conference.ID, f.clock.Now(), "test"))
	path := "/api/v1/rooms"
	made := put[v1.Room](f, http.StatusCreated, http.MethodPost, path, `{"account":"account one","name":"Sales","codeDigits":9}`)
	if len(made.HostCode) != 9 || len(made.GuestCode) != 9 || made.HomeSite != "here" || made.EntrySound != "tone" || !made.Music || made.CodeSpace != "space one" {
		t.Errorf("%+v", made)
	}
	path += "/" + made.ID
	edited := put[v1.Room](f, http.StatusOK, http.MethodPatch, path, `{"version":1,"name":"Sales 2","moderated":true,"endGraceSeconds":30,"keys":{"1":"mute-self"},"guestCode":"246802"}`)
	if !edited.Moderated || edited.EndGraceSeconds != 30 || edited.Keys["1"] != "mute-self" || edited.GuestCode != "246802" || edited.HostCode != made.HostCode || edited.Version != 2 {
		t.Errorf("%+v", edited)
	}
	if back := put[v1.Room](f, http.StatusOK, http.MethodPatch, path, `{"keys":{},"music":false}`); back.Keys != nil || back.Music || !back.Moderated {
		t.Errorf("%+v", back)
	}
	for want, bodies := range map[int][]string{
		http.StatusPreconditionFailed:  {`{"version":1,"name":"late"}`},
		http.StatusUnprocessableEntity: {`{"guestCode":"12"}`, `{"guestCode":"12345a"}`, `{"guestRole":"king"}`, `{"colour":"red"}`, `{"keys":{"1":"dance"}}`, `{"endGraceSeconds":-1}`, `{"name":""}`, `{"version":0}`},
		http.StatusConflict:            {fmt.Sprintf(`{"guestCode":%q}`, f.one.room.HostCode)},
		http.StatusBadRequest:          {`{"name":`, `[`},
	} {
		for _, body := range bodies {
			if status, text := f.ask("operator", http.MethodPatch, path, body); status != want || !strings.Contains(text, `"detail"`) {
				t.Errorf("%s: %d %s", body, status, text)
			}
		}
	}
	put[struct{}](f, http.StatusNoContent, http.MethodDelete, path, "")
	if status, _ := f.ask("operator", http.MethodGet, path, ""); status != http.StatusNotFound {
		t.Errorf("it is still there: %d", status)
	}
	if status, text := f.ask("operator", http.MethodDelete, "/api/v1/rooms/"+string(f.two.room.ID), ""); status != http.StatusConflict {
		t.Errorf("a room in use was removed: %d %s", status, text)
	}
}

// An edit that names no version comes on top of what others change meanwhile.
func TestEditsAtOnceAreAllKept(t *testing.T) {
	f := newFixture(t, false)
	path := "/api/v1/rooms/" + string(f.one.room.ID)
	done := make(chan int)
	edits := []string{`{"music":true}`, `{"announceCount":true}`, `{"moderated":true}`, `{"maxParticipants":7}`, `{"language":"en"}`, `{"endGraceSeconds":9}`}
	for _, body := range edits {
		go func() {
			status, _ := f.ask("operator", http.MethodPatch, path, body)
			done <- status
		}()
	}
	for range edits {
		if status := <-done; status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
	r := put[v1.Room](f, http.StatusOK, http.MethodGet, path, "")
	if !r.Music || !r.AnnounceCount || !r.Moderated || r.MaxParticipants != 7 || r.Language != "en" || r.EndGraceSeconds != 9 {
		t.Errorf("%+v", r)
	}
}

// A list is whole, page by page.
func TestPages(t *testing.T) {
	f := newFixture(t, false)
	for i := range 7 {
		put[v1.Room](f, http.StatusCreated, http.MethodPost, "/api/v1/rooms", fmt.Sprintf(`{"account":"account one","name":"room %d"}`, i))
	}
	seen, after := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		page := put[v1.Page[v1.Room]](f, http.StatusOK, http.MethodGet, "/api/v1/rooms?limit=2&after="+after, "")
		for _, r := range page.Items {
			seen[r.ID] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d rooms of 9", len(seen))
	}
}
