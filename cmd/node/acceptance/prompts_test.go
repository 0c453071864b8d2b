package acceptance

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// CA4: what the operator has recorded for an access number is what its callers hear.
func TestPromptsOfTheOperator(t *testing.T) {
	t.Parallel()
	ctx := within(t, 90*time.Second)
	dir := t.TempDir()
	folder := filepath.Join(dir, "numbers", number, "en")
	must(t, os.MkdirAll(folder, 0o755))
	must(t, tone.Sine(8000, tone.Caller(5), -12, 4*time.Second).WriteWAV(filepath.Join(folder, "enter-code.wav")))
	n := node.Start(t, node.Options{Flags: []string{"--prompts", dir}})
	must(t, n.WaitReady(ctx))
	p := phone(t, 0, baresip.Options{})
	must(t, p.Call(ctx, number, n.SIP()))
	must(t, p.Hears(ctx, tone.Caller(5), time.Second))
	must(t, p.SendDigits(ctx, guestCode))
	joined(t, ctx, n, 1)
	must(t, p.HearsNone(ctx, time.Second, tone.Caller(5)))
}
