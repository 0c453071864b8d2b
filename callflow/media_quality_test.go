package callflow

import (
	"math"
	"testing"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// CF14: what two parts of a way, or of a stay, come to.
func TestDirectionsJoin(t *testing.T) {
	good := Direction{Rated: 30, Loss: 0, JitterMs: 1, DelayMs: 40, MOS: 4.4, MeanLoss: 0, MeanMOS: 4.4, WorstMOS: 4.3}
	bad := Direction{Rated: 10, Loss: 0.1, JitterMs: 9, DelayMs: 100, MOS: 3, MeanLoss: 0.04, MeanMOS: 3.6, WorstMOS: 2, Reported: Claims{MOS: 3.1}}
	none := Direction{}
	for _, c := range []struct {
		name      string
		got, want Direction
	}{
		{"after nothing", none.then(bad), bad},
		{"nothing after", good.then(none), good},
		{"one after the other", good.then(bad), Direction{Rated: 40, Loss: 0.1, JitterMs: 9, DelayMs: 100, MOS: 3, MeanLoss: 0.01, MeanMOS: 4.2, WorstMOS: 2, Reported: Claims{MOS: 3.1}}},
		{"no far part", bad.onward(none), bad},
		{"no near part", none.onward(good), good},
		{"two parts", bad.onward(good), Direction{Rated: 30, Loss: 0.1, JitterMs: 9, DelayMs: 140, MOS: 3, MeanLoss: 0.04, MeanMOS: 3.6, WorstMOS: 2, Reported: Claims{MOS: 3.1}}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if s := bad.score(); s != (store.Score{MOS: 360, WorstMOS: 200, Loss: 400}) {
		t.Errorf("%+v", s)
	}
	if s := none.score(); s != (store.Score{}) {
		t.Errorf("%+v", s)
	}
}

// CF14: how many stays had which MOS, by codec and direction.
func TestGrades(t *testing.T) {
	e := &Engine{}
	for _, mos := range []float64{4.41, 4.4, 3.7, 1} {
		e.graded.add(Quality{Codec: "PCMA", Inbound: Direction{Rated: 1, MeanMOS: mos}})
	}
	e.graded.add(Quality{Codec: "PCMA"})
	all := e.Grades()
	g := all[Grade{Codec: "PCMA"}]
	if len(all) != 1 || g.Count != 4 || g.Below[1.5] != 1 || g.Below[3.6] != 1 || g.Below[3.8] != 2 || g.Below[4.4] != 3 || g.Below[4.5] != 4 || math.Abs(g.Sum-13.51) > 1e-9 {
		t.Errorf("%+v", all)
	}
}

// CF14: of a caller who is mixed at another node, both directions are known while it talks,
// whichever way its media goes, and in the record.
func TestQualityOfForwardedCall(t *testing.T) {
	for _, way := range []ForwardMedia{MediaRelay, MediaDirect} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			k := newTalk(newPair(t, 100*money.Unit, way), nil, 0)
			if way == MediaDirect {
				k.goesDirect("a")
			}
			caller := k.leg("a").participant
			live := func(node string) (Quality, bool) {
				q, known := k.nodes[node].engine.Qualities(k.ctx, []store.ParticipantID{caller, "nobody"})[caller]
				return q, known
			}
			k.eventually("both directions are rated", func() bool {
				q, known := live("a")
				return known && q.Media == string(way) && q.Codec != "" && q.Inbound.known() && q.Outbound.known() && q.Inbound.MOS >= 1 && q.Inbound.DelayMs > 0
			})
			if q, known := live("b"); !known || !q.Inbound.known() || q.Media != "" {
				t.Errorf("at the focus: %+v", q)
			}
			x := k.leave()
			q := k.quality(x)
			if x.Inbound.MOS < 100 || x.Inbound.WorstMOS > x.Inbound.MOS || x.Outbound.MOS < 100 || !q.Inbound.known() || q.Media != string(way) {
				t.Errorf("%+v, %+v: %s", x.Inbound, x.Outbound, x.Quality)
			}
			if g := k.nodes["a"].engine.Grades(); len(g) != 2 {
				t.Errorf("%+v", g)
			}
		})
	}
}
