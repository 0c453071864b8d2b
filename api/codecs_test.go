package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/media/codec"
)

// absent is a codec whose library is not installed.
func absent() codec.Codec {
	return codec.Codec{Format: codec.Format{Name: "X", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1},
		Backend: "libx", Missing: errors.New("install libx1")}
}

// OP1, CD1: whoever may read sees which codecs a node has, and why it lacks others.
func TestCodecs(t *testing.T) {
	f := newFixture(t, false)
	want := []v1.Codec{
		{Name: "PCMU", ClockRate: 8000, SampleRate: 8000, FrameMillis: 10, Backend: "go", Available: true, Encodes: true, Decodes: true},
		{Name: "X", ClockRate: 8000, SampleRate: 8000, PayloadType: -1, FrameMillis: 10, Backend: "libx", Reason: "install libx1"},
	}
	status, body := f.ask("reader", "GET", "/api/v1/codecs", "")
	var got []v1.Codec
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK || !slices.Equal(got, want) {
		t.Errorf("%d %v\n%s", status, err, body)
	}
}
