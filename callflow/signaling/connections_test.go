package signaling

import (
	"net"
	"net/netip"
	"testing"
)

// Two calls that dial the same peer at once have two connections to it. Both are counted
// and closed; otherwise the endpoint, which waits for their readers, never stops.
func TestTwoConnectionsToOnePeer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	limits := Limits{MaxConnections: 2, MaxConnectionsPerSource: 2}
	table := newConnections(limits)
	var both []*tcpConn
	for range 2 {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		both = append(both, newTCPConn(c, limits))
		if !table.add(both[len(both)-1]) {
			t.Fatal("not taken in")
		}
	}
	if n := table.size(); n != 2 || table.to(netip.MustParseAddrPort(listener.Addr().String())) != both[1] {
		t.Errorf("%d connections", n)
	}
	table.closeAll()
	for i, c := range both {
		if c.alive() {
			t.Errorf("connection %d is still open", i)
		}
		table.remove(c)
	}
	if n := table.size(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
