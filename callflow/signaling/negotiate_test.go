package signaling

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// CA9, RFC 3261 section 14.1: an offer is made when its turn has come, anew after a 491,
// and its answer is read before any other offer is taken.
func TestNegotiateInTurn(t *testing.T) {
	h := newAnswering()
	clock := clockwork.NewFakeClock()
	e := serve(t, Config{Clock: clock}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")
	made, reading, read, done := 0, make(chan string), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.Negotiate(context.Background(), func() ([]byte, error) {
			made++
			return fmt.Appendf(nil, "%ss=%d\r\n", testOffer, made), nil
		}, func(answer []byte) error {
			reading <- string(answer)
			<-read
			return nil
		})
	}()
	first := p.expectRequest("INVITE")
	p.respond(first, 491, "")
	p.expectRequest("ACK")
	eventually(t, "the second try", func() bool {
		clock.Advance(100 * time.Millisecond)
		return e.Stats().ClientTransactions >= 2
	})
	second := p.expectRequest("INVITE")
	if !strings.HasSuffix(string(first.body), "s=1\r\n") || !strings.HasSuffix(string(second.body), "s=2\r\n") {
		t.Errorf("offered %q, then %q", first.body, second.body)
	}
	p.respond(second, 200, testAnswer)
	if answer := wait(t, reading, "the answer"); answer != testAnswer {
		t.Errorf("the answer is %q", answer)
	}
	p.expectRequest("ACK")
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 491) // ours is not done with
	p.ack("")
	close(read)
	if err := wait(t, done, "the end of the negotiation"); err != nil {
		t.Error(err)
	}
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 200)
	p.ack("")
	p.bye()
}

// CA9: who hangs up while our offer is under way is not waited for; what it answers to
// the offer all the same is acknowledged.
func TestNegotiateEndsWithTheDialog(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")
	done := make(chan error, 1)
	go func() {
		_, err := d.Reinvite(context.Background(), []byte(testOffer))
		done <- err
	}()
	ours := p.expectRequest("INVITE")
	p.respond(ours, 180, "")
	p.bye()
	var ended *EndedError
	if err := wait(t, done, "the end of the negotiation"); !errors.As(err, &ended) || ended.End.By != ByPeer {
		t.Errorf("Reinvite: %v", err)
	}
	p.respond(ours, 487, "")
	p.expectRequest("ACK")
}
