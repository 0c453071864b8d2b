package wiretap

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/loopback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCountsByPort(t *testing.T) {
	tap, port := Start(t), loopback.Ports(t, 2)
	for i, n := range []int{5, 3} {
		conn, err := net.Dial("udp4", loopback.Address(port+i))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range n {
			_, _ = conn.Write([]byte("hello")) // nobody is there, which the system may tell
		}
	}
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(time.Millisecond); tap.Arrived(port, port+1) < 2; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("nothing arrived")
		}
	}
	if a, b := tap.Arrived(port, port), tap.Arrived(port+1, port+1); a == 0 || b == 0 || a > 5 || b > 3 {
		t.Errorf("%d and %d of 5 and 3", a, b)
	}
}
