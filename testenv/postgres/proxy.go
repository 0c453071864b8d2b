package postgres

import (
	"net"
	"testing"

	"github.com/conclave-voice/conclave/testenv/postgres/server"
)

// Proxy stands between a program and a database, and can cut them off from one another.
type Proxy = server.Proxy

// NewProxy starts a proxy to the database that Start returned, which ends with the test.
func NewProxy(t testing.TB, dsn string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := server.Forward(l, dsn)
	if err != nil {
		l.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // a test's end closes its sockets
	return p
}
