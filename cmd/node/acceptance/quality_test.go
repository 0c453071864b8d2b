package acceptance

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
)

// rated is what is told of one direction.
type rated struct{ RatedSeconds, MOS, MeanMOS, WorstMOS, DelayMs, Loss float64 }

// CF14: of real telephones, which send RTCP, both directions are known while they talk, and
// are in their records.
func TestQualityOfRealTelephones(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	n := startNode(t, ctx)
	a, b := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{Codecs: []baresip.Codec{baresip.G722}})
	dialIn(t, ctx, n, a, guestCode)
	dialIn(t, ctx, n, b, hostCode)
	joined(t, ctx, n, 2)
	type participant struct {
		Media struct {
			Codec             string
			Inbound, Outbound rated
		}
	}
	codecs := await(t, ctx, "both directions of both are rated", func() (map[string]bool, bool) {
		var list []participant
		must(t, n.Read(ctx, &list, "conferences", "quality", "Demo room"))
		codecs := map[string]bool{}
		for _, p := range list {
			if p.Media.Inbound.MOS >= 1 && p.Media.Outbound.MOS >= 1 && p.Media.Inbound.DelayMs > 0 {
				codecs[p.Media.Codec] = true
			}
		}
		return codecs, len(codecs) == 2
	})
	if !codecs["G722"] {
		t.Errorf("%v", codecs)
	}
	must(t, a.Hangup(ctx))
	must(t, b.Hangup(ctx))
	joined(t, ctx, n, 0)
	type record struct{ Inbound, Outbound rated }
	await(t, ctx, "the records tell it", func() (int, bool) {
		var list []record
		must(t, n.Read(ctx, &list, "xdrs", "list"))
		told := 0
		for _, x := range list {
			if x.Inbound.MOS >= 1 && x.Inbound.WorstMOS >= 1 && x.Outbound.MOS >= 1 {
				told++
			}
		}
		return told, told == 2
	})
}
