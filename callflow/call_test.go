package callflow

import (
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/callflow/dialogue"
)

// MS8: a call that has been moved sleeps as it did before: what was due in the move is not
// due any more.
func TestNothingIsDueAfterAMove(t *testing.T) {
	clock := clockwork.NewFakeClock()
	c := &call{engine: &Engine{config: Config{Clock: clock}}, talk: &dialogue.Dialogue{}, phase: moving, deadline: clock.Now().Add(movePause)}
	if next := c.next(); !next.Equal(c.deadline) {
		t.Errorf("the next attempt is due at %v, not at %v", c.deadline, next)
	}
	clock.Advance(time.Minute)
	c.phase = inConference
	if next := c.next(); !next.After(clock.Now()) {
		t.Errorf("something is due at %v, now it is %v", next, clock.Now())
	}
}
