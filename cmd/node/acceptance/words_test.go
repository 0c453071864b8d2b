package acceptance

import (
	"context"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// words are what the node says, to be looked for in what telephones heard.
type words struct {
	t       *testing.T
	library *prompt.Library
}

func loadWords(t *testing.T) words {
	t.Helper()
	library, err := prompt.Load()
	must(t, err)
	return words{t, library}
}

// sound is the sound of prompts, one after the other.
func (w words) sound(ids ...prompt.ID) tone.Sound {
	w.t.Helper()
	all := tone.Sound{Rate: prompt.Narrowband}
	for _, id := range ids {
		clip := w.library.Clip(prompt.DefaultLanguage, id, prompt.Narrowband)
		if len(clip.PCM) == 0 {
			w.t.Fatalf("there is no prompt %q", id)
		}
		all = tone.Join(all, tone.Sound{Rate: clip.Rate, Samples: clip.PCM})
	}
	return all
}

// hears waits until a phone hears prompts, one after the other.
func (w words) hears(ctx context.Context, p *baresip.Phone, ids ...prompt.ID) {
	w.t.Helper()
	if err := p.HearsSaid(ctx, w.sound(ids...)); err != nil {
		w.t.Fatalf("%v: %v", ids, err)
	}
}

// heard checks which prompts a phone has heard, and which not, since its first call.
func (w words) heard(p *baresip.Phone, want bool, ids ...prompt.ID) {
	w.t.Helper()
	for _, id := range ids {
		got, err := p.HasHeard(w.sound(id))
		must(w.t, err)
		if got != want {
			w.t.Errorf("%s has heard %q: %v", p.Name(), id, got)
		}
	}
}

// silent is a phone that says nothing, so that what it hears is not about itself.
func silent(t *testing.T, name string) *baresip.Phone {
	t.Helper()
	return baresip.Start(t, baresip.Options{Name: name})
}

// closedByNode waits until the node has hung up.
func closedByNode(t *testing.T, ctx context.Context, p *baresip.Phone) {
	t.Helper()
	if why, err := p.Closed(ctx); err != nil {
		t.Errorf("the node did not hang up on %s: %q, %v", p.Name(), why, err)
	}
}

// await looks, at what is there only a moment after the fact, until it is as wanted,
// and returns it.
func await[T any](t *testing.T, ctx context.Context, what string, read func() (T, bool)) T {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		v, ok := read()
		if ok {
			return v
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not so: %+v", what, v)
		}
	}
}

// trace is the last call from a number, once its trace is complete, and its steps.
func trace(t *testing.T, ctx context.Context, n *node.Node, from string) (call store.Call, steps []store.CallStep) {
	t.Helper()
	s := openStore(t, ctx, n)
	await(t, ctx, "the trace of the call from "+from, func() ([]store.CallStep, bool) {
		calls, err := s.ListCalls(ctx, store.Scope{}, time.Time{}, time.Time{}, store.Page{})
		must(t, err)
		for _, c := range calls {
			if c.From == from {
				call = c
			}
		}
		if call.EndedAt.IsZero() {
			return nil, false
		}
		_, steps, err = s.Call(ctx, store.Scope{}, call.ID)
		must(t, err)
		return steps, hasStep(steps, "end", "ok")
	})
	return call, steps
}

// hasStep says whether a trace has a step with an outcome.
func hasStep(steps []store.CallStep, step, outcome string) bool {
	for _, s := range steps {
		if s.Step == step && s.Outcome == outcome {
			return true
		}
	}
	return false
}

// addRoom makes a room of the demo account, with a guest and a host code.
func addRoom(t *testing.T, ctx context.Context, n *node.Node, name, guest, host string, settings ...string) {
	t.Helper()
	command(t, ctx, n, append([]string{"rooms", "add", name, "--account", "conf1234",
		"--guest-code", guest, "--host-code", host}, settings...)...)
}
