package api

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/store"
)

// CF14: participants are shown with how their media is, both ways; one of whom nothing is
// known, without.
func TestParticipantsShowTheirMedia(t *testing.T) {
	f := newFixture(t, false)
	in := f.one.participant.ID
	f.media[in] = callflow.Quality{Codec: "PCMA", Media: "relay", RoundTripMs: 48,
		Inbound:  callflow.Direction{Rated: 12.5, Loss: 0.05, JitterMs: 7.5, DelayMs: 84, MOS: 3.93, MeanLoss: 0.02, MeanMOS: 4.2, WorstMOS: 3.9},
		Outbound: callflow.Direction{Reported: callflow.Claims{MOS: 4.1, R: 88, SignalLevel: -20}}}
	want := v1.ParticipantMedia{Codec: "PCMA", Way: "relay", RoundTripMs: 48}
	in1 := v1.MediaDirection{RatedSeconds: 12.5, Loss: 0.05, JitterMs: 7.5, DelayMs: 84, MOS: 3.93, MeanLoss: 0.02, MeanMOS: 4.2, WorstMOS: 3.9}
	out := v1.ReportedMedia{MOS: 4.1, R: 88, SignalDbm0: -20}
	check := func(p v1.Participant) {
		t.Helper()
		m := p.Media
		if m == nil || m.Codec != want.Codec || m.Way != want.Way || m.RoundTripMs != want.RoundTripMs ||
			m.Inbound == nil || *m.Inbound != in1 || m.Outbound == nil || m.Outbound.Reported == nil || *m.Outbound.Reported != out {
			t.Errorf("%+v", m)
		}
	}
	check(put[v1.Participant](f, http.StatusOK, http.MethodGet, "/api/v1/participants/"+string(in), ""))
	list := put[v1.Page[v1.Participant]](f, http.StatusOK, http.MethodGet, "/api/v1/conferences/"+string(f.one.conference.ID)+"/participants?left=true", "")
	for _, p := range list.Items {
		if p.ID == string(in) {
			check(p)
		} else if p.Media != nil {
			t.Errorf("%s has left: %+v", p.ID, p.Media)
		}
	}
	if len(list.Items) != 2 {
		t.Errorf("%d participants", len(list.Items))
	}
}

// CF14, BL8: records say how good the media was, as JSON and in columns; nothing where
// nothing is known.
func TestRecordsTellTheQuality(t *testing.T) {
	f := newFixture(t, false)
	p := f.stay(&f.one, f.one.conference.Focus)
	x := f.record(p)
	x.Inbound, x.Outbound = store.Score{MOS: 391, WorstMOS: 187, Loss: 512}, store.Score{}
	_, err := f.store.SettleStay(t.Context(), x)
	f.must(err)
	got := put[v1.XDR](f, http.StatusOK, http.MethodGet, "/api/v1/xdrs/"+string(p.ID), "")
	if got.Inbound != (v1.Score{MOS: 3.91, WorstMOS: 1.87, Loss: 0.0512}) || got.Outbound != (v1.Score{}) {
		t.Errorf("%+v, %+v", got.Inbound, got.Outbound)
	}
	_, text := f.ask("customer", http.MethodGet, "/api/v1/xdrs/export", "")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	f.must(err)
	at := slices.Index(rows[0], "inbound_mos")
	row := rows[slices.IndexFunc(rows, func(r []string) bool { return r[0] == string(p.ID) })]
	if !slices.Equal(row[at:], []string{"3.91", "1.87", "0.0512", "", "", ""}) {
		t.Errorf("%v", row)
	}
	if _, text := f.ask("customer", http.MethodGet, "/api/v1/xdrs/"+string(p.ID), ""); strings.Contains(text, `"outbound"`) {
		t.Errorf("what is not known is told: %s", text)
	}
}
