package loopback

import (
	"net"
	"testing"
)

func TestPortsAreEachTestsOwn(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		first := Ports(t, 30)
		if first%2 != 0 {
			t.Errorf("the first port, %d, is odd", first)
		}
		for port := first; port < first+30; port++ {
			if seen[port] {
				t.Fatalf("port %d is dealt twice", port)
			}
			seen[port] = true
		}
	}
}

func TestPortsComeBack(t *testing.T) {
	var ours int
	t.Run("user", func(t *testing.T) { ours = Ports(t, blockSize) })
	if again := Ports(t, blockSize); again != ours {
		t.Logf("another block: %d, not %d", again, ours) // an earlier test's sockets may linger in it
	}
}

func TestABoundPortIsNotDealt(t *testing.T) {
	first := Ports(t, 2)
	dealer.giveBack(first, 2)
	conn, err := net.ListenPacket("udp4", Address(first))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if other := Ports(t, 2); other == first {
		t.Errorf("port %d is dealt while it is bound", first)
	}
}
