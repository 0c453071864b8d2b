package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// CA8: for any past instant of a conference it is told who was in and who heard whom.
func TestConferenceAtAnyInstant(t *testing.T) {
	f := newFixture(t, false)
	begin := f.clock.Now()
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	history := []store.ConferenceEvent{
		{At: at(0), Kind: string(roster.Started), Detail: []byte(`{"settings":{}}`)},
		{At: at(10), Kind: string(roster.Joined), ParticipantID: "a", Detail: []byte(`{"role":"moderator","caller":"alice"}`)},
		{At: at(20), Kind: string(roster.Joined), ParticipantID: "b", Detail: []byte(`{"role":"speaker","caller":"bob"}`)},
		{At: at(30), Kind: string(roster.ModMuted), ParticipantID: "b", By: "a"},
		{At: at(40), Kind: string(roster.Locked), By: "api:operator"},
		{At: at(42), Kind: string(roster.RecordingStarted), By: "a", Detail: []byte(`{"recording":{"id":"tape","segment":1}}`)},
		{At: at(48), Kind: string(roster.RecordingStopped), By: "a", Detail: []byte(`{"recording":{"id":"tape","segment":1},"reason":"stopped"}`)},
		{At: at(50), Kind: string(roster.Left), ParticipantID: "a"},
	}
	for i := range history {
		history[i].ConferenceID, history[i].Seq = f.one.conference.ID, int64(i+1)
	}
	f.must(f.store.AppendConferenceEvents(t.Context(), history))
	path := "/api/v1/conferences/" + string(f.one.conference.ID)
	hears := func(s v1.ConferenceState, who string) []string {
		for _, m := range s.Participants {
			if m.ParticipantID == who {
				return m.Hears
			}
		}
		return []string{"not in"}
	}
	for _, c := range []struct {
		at           int
		phase        string
		locked       bool
		aHears, bHas []string
	}{
		{-1, "not-started", false, []string{"not in"}, []string{"not in"}},
		{15, "open", false, nil, []string{"not in"}},
		{25, "open", false, []string{"b"}, []string{"a"}},
		{30, "open", false, nil, []string{"a"}},
		{45, "open", true, nil, []string{"a"}},
		{55, "open", true, []string{"not in"}, nil},
	} {
		s := put[v1.ConferenceState](f, http.StatusOK, http.MethodGet, path+"?at="+at(c.at).Format(time.RFC3339), "")
		if s.Phase != c.phase || s.Locked != c.locked || !slices.Equal(hears(s, "a"), c.aHears) || !slices.Equal(hears(s, "b"), c.bHas) {
			t.Errorf("after %d s: %s, locked %v, a hears %v, b hears %v", c.at, s.Phase, s.Locked, hears(s, "a"), hears(s, "b"))
		}
		if recorded := s.RecordingID == "tape"; recorded != (c.at == 45) {
			t.Errorf("after %d s it is recorded: %v", c.at, recorded)
		}
	}
	// CF13: who speaks is told of the present alone.
	f.focus.speakers = []conference.Speaker{{Participant: "b", Talking: true, Level: -21.34}}
	f.clock.Advance(time.Minute)
	for query, talking := range map[string]bool{"": true, "?at=" + at(55).Format(time.RFC3339): false} {
		m := put[v1.ConferenceState](f, http.StatusOK, http.MethodGet, path+query, "").Participants[0]
		if m.Talking != talking || talking && m.Level != -21.3 {
			t.Errorf("%q: %+v", query, m)
		}
	}
	events := put[v1.Page[v1.ConferenceEvent]](f, http.StatusOK, http.MethodGet, path+"/events", "")
	if len(events.Items) != len(history) || events.Items[4].By != "api:operator" {
		t.Errorf("%+v", events.Items)
	}
}

// Commands reach the focus once, with the name of who gave them; what is over is not commanded.
func TestControl(t *testing.T) {
	f := newFixture(t, false)
	conference, participant := "/api/v1/conferences/"+string(f.one.conference.ID), "/api/v1/participants/"+string(f.one.participant.ID)
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPatch, conference, `{"locked":true,"allMuted":true}`},
		{http.MethodPatch, participant, `{"muted":true,"role":"moderator"}`},
		{http.MethodDelete, participant, ""},
		{http.MethodPost, conference + "/recording", `{"format":"ogg"}`},
		{http.MethodDelete, conference + "/recording", ""},
		{http.MethodPost, conference + "/end", ""},
	} {
		if status, body := f.ask("customer", c.method, c.path, c.body); status != http.StatusNoContent {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
	want := []string{"lock api:customer", "mute-all api:customer", "role api:customer", "mute api:customer", "eject api:customer",
		"record ogg api:customer", "stop-recording api:customer", "end api:customer"}
	if !slices.Equal(f.focus.commands, want) {
		t.Errorf("the focus was told %q", f.focus.commands)
	}
	f.must(f.store.CloseConference(t.Context(), f.one.conference.ID, f.clock.Now(), "ended"))
	for _, path := range []string{"/api/v1/participants/" + string(f.one.left.ID), conference} {
		if status, body := f.ask("customer", http.MethodPatch, path, `{}`); status != http.StatusConflict {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
