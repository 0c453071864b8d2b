package sites

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/wan"
)

// heardOf is what the API says of the media of a participant, by the site that took the
// call.
type heardOf struct {
	Ingress struct{ Site string }
	Media   struct {
		Way     string
		Inbound struct{ Loss, DelayMs, MOS, WorstMOS float64 }
	}
}

// qualities are those of the participants of a conference, by site, as a node tells.
func (w *world) qualities(by, conference string) map[string]heardOf {
	w.Helper()
	p := w.process(by)
	r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, p.URL()+"/api/v1/conferences/"+conference+"/participants", nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+w.operator.Token())
	answer, err := p.Client().Do(r)
	w.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	var page struct{ Items []heardOf }
	if err := json.Unmarshal(text, &page); err != nil || answer.StatusCode != http.StatusOK {
		w.Fatalf("%s: %v: %s", answer.Status, err, text)
	}
	bySite := map[string]heardOf{}
	for _, h := range page.Items {
		bySite[h.Ingress.Site] = h
	}
	return bySite
}

// CF14: RTP of one site is lost on its way to the conference at the other. Every node's API
// shows it of the caller of that site, while it talks, and of no other; then that the link
// is well again; and the records tell both callers apart.
func TestQualityOfAnImpairedLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 1)
	near, far := w.call("alpha-1"), w.call("beta-1")
	w.hear(near, far)
	room := w.theOne("alpha-1").ID
	link := wan.Link{From: "beta", To: "alpha"}
	w.must(w.WAN().Impair(link, "rtp", wan.Impairment{Delay: 20 * time.Millisecond, Loss: 0.2}))
	for _, by := range []string{"alpha-1", "beta-1"} {
		w.until(by+" tells of the losses", func() bool {
			q := w.qualities(by, room)
			a, b := q["alpha"].Media.Inbound, q["beta"].Media.Inbound
			return b.Loss > 0.1 && b.MOS >= 1 && a.MOS > b.MOS && q["alpha"].Media.Way == "" && q["beta"].Media.Way == "relay" && b.DelayMs > 0
		})
	}
	if table := w.do("beta-1", "conferences", "quality", room); !strings.Contains(table, "IN-MOS") || !strings.Contains(table, "relay") {
		t.Error(table)
	}
	w.must(w.WAN().Clear(link, "rtp"))
	w.until("the link is well again", func() bool {
		b := w.qualities("alpha-1", room)["beta"].Media.Inbound
		return b.Loss < 0.05 && b.MOS > b.WorstMOS
	})
	w.hangUp(near, far)
	w.records(2)
	var a, b struct{ mos, worst, loss int }
	row := "SELECT inbound_mos, inbound_mos_worst, inbound_loss FROM xdr WHERE ingress_site = $1"
	w.must(w.db.QueryRowContext(w.ctx, row, "alpha").Scan(&a.mos, &a.worst, &a.loss), w.db.QueryRowContext(w.ctx, row, "beta").Scan(&b.mos, &b.worst, &b.loss))
	if b.mos >= a.mos || b.worst >= b.mos || b.loss <= a.loss || b.loss < 100 {
		t.Errorf("the record of alpha's caller says %+v, of beta's %+v", a, b)
	}
	metrics, err := w.process("beta-1").Get(w.ctx, "/metrics")
	w.must(err)
	if !strings.Contains(string(metrics), `conclave_stay_mos_count{codec="PCMU",direction="inbound"} 1`) {
		t.Error("the stay is not in the metrics")
	}
}
