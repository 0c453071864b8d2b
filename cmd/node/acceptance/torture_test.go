package acceptance

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
)

// SE4: the torture messages of RFC 4475, garbage, and many strange sources do not
// stop the node; a caller gets through right after. What each message is answered
// is tested in callflow/signaling.
func TestTortureMessagesDoNotStopTheNode(t *testing.T) {
	ctx := within(t, 90*time.Second)
	n := startNode(t, ctx)
	files, err := filepath.Glob("../../../callflow/signaling/testdata/rfc4475/*/*.dat")
	must(t, err)
	if len(files) < 40 {
		t.Fatalf("only %d torture messages found", len(files))
	}
	messages := [][]byte{nil, []byte("\x00"), []byte("INVITE"), []byte("INVITE sip:x SIP/2.0\r\n\r\n"), make([]byte, 60000)}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		messages = append(messages, b)
	}
	for range 40 { // each time from another port
		c, err := net.Dial("udp", n.SIP())
		must(t, err)
		for _, m := range messages {
			if _, err := c.Write(m); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
	}
	p := phone(t, 0, baresip.Options{})
	dialIn(t, ctx, n, p, guestCode)
	joined(t, ctx, n, 1)
}
