package sqlstore

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter stands between a store and PostgreSQL, and breaks the connection of the next
// COMMIT when it is told to.
type cutter struct {
	listener net.Listener
	socket   string
	wg       sync.WaitGroup
	cut      atomic.Int32 // a cutting
	commits  atomic.Int32
}

type cutting = int32

const (
	never  cutting = iota
	before         // COMMIT does not reach the server
	after          // COMMIT succeeds, and its answer does not reach the store
)

// newCutter returns the DSN of the way through it.
func newCutter(t *testing.T, dsn string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.wg.Wait()
	})
	u.Host, u.RawQuery = l.Addr().String(), "sslmode=disable"
	return c, u.String()
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", c.socket)
		if err != nil {
			client.Close()
			continue
		}
		link := &link{cutter: c, client: client, server: server}
		c.wg.Go(link.up)
		c.wg.Go(link.down)
	}
}

type link struct {
	*cutter
	client, server net.Conn
	deaf           atomic.Bool // the next answer is swallowed, and the link cut
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

func (l *link) up() {
	defer l.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		if bytes.Contains(buf[:n], []byte("commit\x00")) {
			l.commits.Add(1)
			switch l.cut.Swap(never) {
			case before:
				return
			case after:
				l.deaf.Store(true)
			}
		}
		if _, err := l.server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (l *link) down() {
	defer l.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if err != nil || l.deaf.Load() {
			return
		}
		if _, err := io.Copy(l.client, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}
