package gossip

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
)

// stuck is a log that takes nothing until it is released.
type stuck struct {
	testLog
	release chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.release
	return s.testLog.Write(b)
}

func TestALogThatIsStuckHoldsNobodyUp(t *testing.T) {
	log := &stuck{release: make(chan struct{})}
	n := startNotes(hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info}))
	for range 10 * maxNotes {
		n.event("news")
	}
	close(log.release)
	n.stop()
	if lines := strings.Count(log.text.String(), "news"); lines < maxNotes || lines > maxNotes+1 {
		t.Errorf("%d lines were kept", lines)
	}
	if !log.has("lost=") {
		t.Error("the loss was not told")
	}
}

func TestWarningsAreNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &testLog{}
		n := startNotes(log.logger())
		l := &memberlistLog{n}
		say := func() {
			for _, port := range []string{"1", "2", "3"} {
				line := "[ERR] memberlist: discarding stream with unacceptable label \"x\": from=127.0.0.1:" + port + "\n"
				if _, err := l.Write([]byte(line)); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
		}
		say()
		time.Sleep(repeatAfter)
		say()
		n.stop()
		if lines := strings.Count(log.text.String(), "correct its cluster name"); lines != 2 {
			t.Errorf("%d lines:\n%s", lines, log.text.String())
		}
	})
}

// A connection that was given up before it was used is not taken for another cluster.
func TestConnectionThatSaidNothing(t *testing.T) {
	log := &testLog{}
	n := startNotes(log.logger())
	l := &memberlistLog{n}
	if _, err := l.Write([]byte("[ERR] memberlist: discarding stream with unacceptable label \"\": from=127.0.0.1:1\n")); err != nil {
		t.Error(err)
	}
	n.stop()
	if log.has("correct its cluster name") || !log.has("a connection ended before") {
		t.Errorf("%s", log.text.String())
	}
}
