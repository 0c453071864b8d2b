package registry_test

import (
	"fmt"
	"testing"

	"github.com/conclave-voice/conclave/cluster/registry"
)

func from(i registry.Instance, seq uint64) registry.RequestID {
	return registry.RequestID{From: i, Seq: seq}
}

// A request is carried out once, however often it arrives.
func TestRepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	s := newSite(t, n1, n2)
	first := s.request(from(n1, 1), assign("room", n1))
	s.accept(registry.Release{Room: "room", Epoch: first.Assignment.Epoch})
	again := s.request(from(n1, 1), assign("room", n1))
	if again.Assignment != first.Assignment || !again.Changed {
		t.Errorf("answers %+v and %+v", first, again)
	}
	if _, ok := s.Assignment("room"); ok {
		t.Error("the repetition assigned the room again")
	}
}

func TestRepeatedTakeShowsTheDialogAsLongAsItIsHeld(t *testing.T) {
	s := newSite(t, n1, n2, n3)
	s.item(put(n1, "call", 1, "state"), registry.None)
	take := registry.TakeDialog{Call: "call", From: n1, To: n2}
	s.request(from(n2, 1), take)
	if again := s.request(from(n2, 1), take); string(again.Dialog.State) != "state" {
		t.Errorf("%+v", again)
	}
	s.accept(registry.TakeDialog{Call: "call", From: n2, To: n3})
	if late := s.request(from(n2, 1), take); late.Refusal != registry.NotOwner {
		t.Errorf("%+v", late)
	}
}

func TestForgottenRequestIsRefused(t *testing.T) {
	s := newSite(t, n1)
	for seq := uint64(1); seq <= registry.RequestWindow+1; seq++ {
		s.request(from(n1, seq), assign(fmt.Sprint("room", seq), n1))
	}
	if r := s.request(from(n1, 1), assign("room1", n1)); r.Refusal != registry.Expired {
		t.Errorf("the oldest request: %q", r.Refusal)
	}
	if r := s.request(from(n1, 2), assign("room2", n1)); r.Refusal != registry.None || !r.Changed {
		t.Errorf("the oldest that is remembered: %+v", r)
	}
	s.request(from(n1, 10*registry.RequestWindow), assign("far", n1))
	if r := s.request(from(n1, 9*registry.RequestWindow), assign("a", n1)); r.Refusal != registry.Expired {
		t.Errorf("after a jump: %q", r.Refusal)
	}
	if r := s.request(from(n1, 9*registry.RequestWindow+1), assign("b", n1)); r.Refusal != registry.None {
		t.Errorf("out of order, inside the window: %q", r.Refusal)
	}
}

func TestRequestsOfAnEarlierRunAreRefused(t *testing.T) {
	s := newSite(t, n1, n2)
	s.request(from(n1, 7), assign("room", n2))
	if r := s.request(from(n1b, 7), assign("other", n2)); !r.Changed {
		t.Errorf("the new run's request is taken for the old one's: %+v", r)
	}
	if r := s.request(from(n1, 8), assign("late", n2)); r.Refusal != registry.Stale {
		t.Errorf("a request of the run that ended: %q", r.Refusal)
	}
}

// A put that was held up on its way does not bring back what was dropped since.
func TestOvertakenDialogsAreRefused(t *testing.T) {
	s := newSite(t, n1)
	s.request(from(n1, 2), drop(n1, "call"))
	if r := s.request(from(n1, 1), put(n1, "call", 1, "")); r.Refusal != registry.Expired {
		t.Errorf("the earlier put: %+v", r)
	}
	if _, ok := s.Dialog("call"); ok {
		t.Error("the call is back")
	}
}
