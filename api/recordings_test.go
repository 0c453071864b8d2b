package api

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// CF10: recordings are listed, shown, downloaded whole and in parts, and removed.
func TestRecordings(t *testing.T) {
	f := newFixture(t, false)
	path := "/api/v1/recordings/" + string(f.one.recording.ID)
	list := put[v1.Page[v1.Recording]](f, http.StatusOK, http.MethodGet, "/api/v1/recordings?room="+string(f.one.room.ID), "")
	if len(list.Items) != 1 || list.Items[0].ID != string(f.one.recording.ID) || list.Items[0].Reason != "stopped" {
		t.Errorf("%+v", list)
	}
	shown := put[v1.RecordingDetail](f, http.StatusOK, http.MethodGet, path, "")
	if len(shown.Segments) != 1 || shown.Segments[0].LengthSeconds != 1.5 || shown.Segments[0].Node.Node != "n1" {
		t.Fatalf("%+v", shown)
	}
	audio := path + "/segments/" + shown.Segments[0].ID + "/audio"
	whole := strings.Repeat("0123456789", 100)
	for _, c := range []struct {
		asked  string
		status int
		body   string
		length string
	}{
		{"", http.StatusOK, whole, ""},
		{"bytes=12-15", http.StatusPartialContent, "2345", "bytes 12-15/1000"},
		{"bytes=-3", http.StatusPartialContent, "789", "bytes 997-999/1000"},
		{"bytes=2000-", http.StatusRequestedRangeNotSatisfiable, "", "bytes */1000"},
	} {
		res, body := f.fetch("customer", audio, c.asked)
		if res.StatusCode != c.status || c.body != "" && body != c.body || res.Header.Get("Content-Range") != c.length {
			t.Errorf("%q: %s, %q, %d octets", c.asked, res.Status, res.Header.Get("Content-Range"), len(body))
		}
	}
	res, _ := f.fetch("customer", audio, "")
	if res.Header.Get("Content-Type") != "audio/vnd.wave" || !strings.Contains(res.Header.Get("Content-Disposition"), "-001.wav") {
		t.Errorf("%v", res.Header)
	}
	for _, c := range []struct {
		token, path string
		status      int
	}{
		{"reader", path, http.StatusOK},
		{"reader", audio, http.StatusForbidden}, // what was said is not for who sees only that it was
		{"other", audio, http.StatusNotFound},
		{"customer", audio + "?participant=nobody", http.StatusNotFound},
		{"customer", audio + "?participant=../../x", http.StatusNotFound},
		{"customer", path + "/segments/" + string(f.two.segment.ID) + "/audio", http.StatusNotFound},
	} {
		if status, body := f.ask(c.token, http.MethodGet, c.path, ""); status != c.status {
			t.Errorf("%s asks for %s: %d %s", c.token, c.path, status, body)
		}
	}
	goesOn := f.one.recording
	goesOn.ID, goesOn.StoppedAt = store.NewRecordingID(), goesOn.RemovedAt
	f.must(f.store.PutRecording(t.Context(), goesOn))
	for path, status := range map[string]int{path: http.StatusNoContent, "/api/v1/recordings/" + string(goesOn.ID): http.StatusConflict} {
		if got, body := f.ask("customer", http.MethodDelete, path, ""); got != status {
			t.Errorf("%d %s", got, body)
		}
	}
	if status, _ := f.ask("customer", http.MethodGet, audio, ""); status != http.StatusNotFound {
		t.Errorf("what was removed is there: %d", status)
	}
	removed, err := f.store.RemovedSegments(t.Context(), "n1")
	if err != nil || len(removed) != 1 {
		t.Errorf("%+v, %v", removed, err)
	}
}

// CF10: what rooms say of recordings is read and changed, part by part.
func TestRoomsSayWhatIsRecorded(t *testing.T) {
	f := newFixture(t, false)
	path := "/api/v1/rooms/" + string(f.one.room.ID)
	for _, c := range []struct {
		edit string
		want v1.RoomRecording
	}{
		{`{}`, v1.RoomRecording{Mode: "off", Format: "wav", Announce: true}},
		{`{"recording":{"mode":"always","format":"ogg"}}`, v1.RoomRecording{Mode: "always", Format: "ogg", Announce: true}},
		{`{"recording":{"announce":false,"tracks":true,"retentionDays":7}}`, v1.RoomRecording{Mode: "always", Format: "ogg", Tracks: true, RetentionDays: 7}},
		{`{"recording":{"mode":"off","announce":true}}`, v1.RoomRecording{Mode: "off", Format: "ogg", Tracks: true, Announce: true, RetentionDays: 7}},
	} {
		if got := put[v1.Room](f, http.StatusOK, http.MethodPatch, path, c.edit); got.Recording != c.want {
			t.Errorf("%s: %+v", c.edit, got.Recording)
		}
	}
	for _, edit := range []string{`{"recording":{"mode":"sometimes"}}`, `{"recording":{"format":"mp3"}}`, `{"recording":{"retentionDays":-1}}`} {
		if status, body := f.ask("customer", http.MethodPatch, path, edit); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", edit, status, body)
		}
	}
}

// fetch asks for a part of a path.
func (f *fixture) fetch(token, path, part string) (*http.Response, string) {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.server.URL+path, nil)
	f.must(err)
	req.Header.Set("Authorization", "Bearer "+f.tokens[token])
	if part != "" {
		req.Header.Set("Range", part)
	}
	res, err := http.DefaultClient.Do(req)
	f.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	f.must(err)
	return res, string(body)
}
