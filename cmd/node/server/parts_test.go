package server

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestPartsStopInReverseOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stopped []string
	wait := func(name string) part {
		return part{name: name, run: func(ctx context.Context) error {
			<-ctx.Done()
			stopped = append(stopped, name) // one after the other, so no lock
			return ctx.Err()
		}}
	}
	cancel()
	if err := runParts(ctx, []part{wait("store"), wait("calls"), wait("sip")}); err != nil {
		t.Error(err)
	}
	if want := []string{"sip", "calls", "store"}; !slices.Equal(stopped, want) {
		t.Errorf("stopped %v, want %v", stopped, want)
	}
}

func TestOnePartFailingStopsAll(t *testing.T) {
	broken := errors.New("broken")
	err := runParts(t.Context(), []part{
		{name: "well", run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
		{name: "ill", run: func(context.Context) error { return broken }},
	})
	if !errors.Is(err, broken) || err.Error() != "ill: broken" {
		t.Error(err)
	}
}
