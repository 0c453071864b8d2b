package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/conclave-voice/conclave/testenv/load/codecs"
)

// Room is one of the rooms that were made for the callers.
type Room struct {
	ID   string
	Code string // the access code
}

// AddRooms makes rooms without announcements or music, and money for all who will be in
// them. What is recorded is not announced, for a voice is no caller's tone.
func (t *Target) AddRooms(ctx context.Context, n int) (rooms []Room, err error) {
	if err := t.call(ctx, http.MethodPost, "/accounts/conf1234/top-ups", map[string]any{"amount": "100000.00", "reason": "load"}, nil); err != nil {
		return nil, err
	}
	for i := range n {
		code := strconv.Itoa(5000000 + i)
		room := map[string]any{"account": "conf1234", "name": "load " + code, "guestCode": code, "entrySound": "none", "exitSound": "none",
			"announceCount": false, "music": false, "recording": map[string]any{"announce": false}}
		made := Room{Code: code}
		if err := t.call(ctx, http.MethodPost, "/rooms", room, &made); err != nil {
			return nil, err
		}
		rooms = append(rooms, made)
	}
	return rooms, nil
}

// Codes are the access codes of rooms.
func Codes(rooms []Room) (list []string) {
	for _, r := range rooms {
		list = append(list, r.Code)
	}
	return list
}

// NeedCodecs says which of the codecs the node has not, and what it lacks.
func (t *Target) NeedCodecs(ctx context.Context, wanted []codecs.Codec) error {
	var has []codecStatus
	if err := t.call(ctx, http.MethodGet, "/codecs", nil, &has); err != nil {
		return err
	}
	for _, w := range wanted {
		i := slices.IndexFunc(has, func(c codecStatus) bool { return strings.EqualFold(c.Name, w.Name) })
		switch {
		case i < 0:
			return fmt.Errorf("the node has no %s: it does not know it", w.Name)
		case !has[i].Available || !has[i].Encodes || !has[i].Decodes:
			return fmt.Errorf("the node has no %s: %s", w.Name, has[i].Reason)
		}
	}
	return nil
}

// codecStatus is what the API tells of a codec.
type codecStatus struct {
	Name                        string
	Available, Encodes, Decodes bool
	Reason                      string // why it is not available, and what to install
}

// page is how the API answers with a list.
type page[T any] struct{ Items []T }

// call asks the node's API, and reads its answer into out (nil: it is not read).
func (t *Target) call(ctx context.Context, method, path string, body, out any) error {
	answer, err := t.request(ctx, method, t.api+"/api/v1"+path, body)
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// request sends a request with a body in JSON (nil: none) and returns the answer's. A
// status other than 2xx is an error.
func (t *Target) request(ctx context.Context, method, url string, body any) ([]byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(answer))
	}
	return answer, err
}
