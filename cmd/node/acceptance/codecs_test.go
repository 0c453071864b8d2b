package acceptance

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// CD1, CD2: callers with Opus, G.722 and PCMU are in one room, and each hears the others.
// The one with Opus keys its code as telephone events, whose clock is not Opus's.
func TestOpusCaller(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	n := startNode(t, ctx)
	var list []v1.Codec
	if err := json.Unmarshal([]byte(command(t, ctx, n, "codecs", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 8 {
		t.Errorf("%d codecs are listed", len(list))
	}
	for _, c := range list {
		if c.Name == "opus" && !c.Available {
			codectest.NeedLibrary(t, errors.New(c.Reason))
		}
	}
	phones := []*baresip.Phone{phone(t, 0, baresip.Options{Codecs: []baresip.Codec{baresip.Opus}}),
		phone(t, 1, baresip.Options{}), phone(t, 2, baresip.Options{Codecs: []baresip.Codec{baresip.G722}})}
	for _, p := range phones {
		dialIn(t, ctx, n, p, guestCode)
	}
	joined(t, ctx, n, 3)
	hearsExactly(t, ctx, phones[0], 3, 1, 2)
	hearsExactly(t, ctx, phones[1], 3, 0, 2)
	hearsExactly(t, ctx, phones[2], 3, 0, 1)
	heard, err := phones[0].Heard()
	must(t, err)
	top := -120.0
	for _, l := range tone.Levels(heard.Samples, heard.Rate, 100*time.Millisecond, tone.Caller(1)) {
		top = max(top, l.Tones[0])
	}
	if top < -23 || top > -17 {
		t.Errorf("a tone of -20 dBFS is heard at %.1f dBFS through Opus", top)
	}
}
