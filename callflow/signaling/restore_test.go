package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// MS10: a dialog goes on at another endpoint, by its state alone, whichever side began it
// and however it came; the peer then sends what it has to say to the new one.
func TestDialogGoesOnElsewhere(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			listen := Config{Listen: []ListenAddr{{"udp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}}}
			had := newAnswering()
			first, second := serve(t, listen, had), serve(t, listen, newAnswering())
			phone := serve(t, listen, newAnswering())
			calling := newRecorder()
			ctx := context.Background()
			there, _, err := phone.Dial(ctx, DialRequest{Target: fmt.Sprintf("sip:room@%s;transport=%s", address0(first, network), network), Offer: []byte(testOffer)}, calling)
			if err != nil {
				t.Fatal(err)
			}
			d := wait(t, had.dialogs, "the dialog")
			if _, err := there.Reinvite(ctx, []byte(testOffer)); err != nil { // the state is not only that of the INVITE
				t.Fatal(err)
			}
			text, err := json.Marshal(d.State())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Reinvite(ctx, []byte(testOffer)); err != nil { // which the state does not know of
				t.Fatal(err)
			}
			if !d.Abandon() || d.Abandon() {
				t.Error("abandoned not once")
			}
			if end := wait(t, had.ended, "the end"); end.Cause != CauseElsewhere {
				t.Errorf("ended: %v", end)
			}
			var state DialogState
			if err := json.Unmarshal(text, &state); err != nil {
				t.Fatal(err)
			}
			went := newRecorder()
			on, err := second.Restore(ctx, state, went)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := second.Restore(ctx, state, newRecorder()); err == nil {
				t.Error("restored twice")
			}
			if answer, err := on.Reinvite(ctx, []byte(testOffer)); err != nil || string(answer) != testAnswer {
				t.Fatalf("Reinvite: %v, answer %q", err, answer)
			}
			if _, err := there.Reinvite(ctx, []byte(testOffer)); err != nil {
				t.Errorf("the peer's re-INVITE to the new endpoint: %v", err)
			}
			if err := there.Hangup(ctx, Reason{}); err != nil {
				t.Errorf("the peer's BYE to the new endpoint: %v", err)
			}
			if end := wait(t, went.ended, "the end"); end.By != ByPeer {
				t.Errorf("ended: %v", end)
			}
		})
	}
}

// MS10: a peer that has hung up meanwhile answers 481, and a state that cannot be one is
// refused.
func TestDialogIsOverElsewhere(t *testing.T) {
	phone, second := serve(t, Config{}, newAnswering()), serve(t, Config{}, newAnswering())
	state := DialogState{CallID: "x", LocalTag: "a", RemoteTag: "b", LocalURI: "<sip:a@127.0.0.1>", RemoteURI: "<sip:b@127.0.0.1>",
		RemoteTarget: "sip:b@" + address0(phone, "udp").String(), Network: "UDP", Peer: address0(phone, "udp")}
	gone := newRecorder()
	d, err := second.Restore(context.Background(), state, gone)
	if err != nil {
		t.Fatal(err)
	}
	var refused *StatusError
	if _, err := d.Reinvite(context.Background(), []byte(testOffer)); !errors.As(err, &refused) || refused.Status != 481 {
		t.Errorf("Reinvite: %v", err)
	}
	if end := wait(t, gone.ended, "the end"); end.Cause != CauseGone {
		t.Errorf("ended: %v", end)
	}
	for what, spoil := range map[string]func(*DialogState){
		"no Call-ID":  func(s *DialogState) { s.CallID = "" },
		"no target":   func(s *DialogState) { s.RemoteTarget = "" },
		"a bad route": func(s *DialogState) { s.RouteSet = []string{"<"} },
		"no transport": func(s *DialogState) {
			s.Network, s.RemoteTarget = "TCP", "sip:b@127.0.0.1:1;transport=tcp"
		},
	} {
		bad := state
		spoil(&bad)
		if _, err := second.Restore(context.Background(), bad, newRecorder()); err == nil {
			t.Errorf("%s: restored", what)
		}
	}
}
