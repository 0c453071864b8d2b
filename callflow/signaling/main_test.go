package signaling

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

// The timers of sipgo's transactions are variables of its package: they are set
// once, here, for all tests.
func TestMain(m *testing.M) {
	sip.SetTimers(100*time.Millisecond, 800*time.Millisecond, time.Second)
	goleak.VerifyTestMain(m)
}
