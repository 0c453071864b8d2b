package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// Proxy stands between a program and a database, and can cut them off from one another.
type Proxy struct {
	listener         net.Listener
	network, address string // of the server
	dsn              string
	pumps            sync.WaitGroup

	mu      sync.Mutex
	links   map[*link]bool
	refuses bool
	flow    chan struct{} // closed while bytes pass
}

// Forward starts a proxy at a listener to the database of a URL. Close ends it. Where the
// URL wants the server's certificate to bear the server's name (sslmode=verify-full), a
// client of the proxy finds another.
func Forward(l net.Listener, dsn string) (*Proxy, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the address of the database is no URL: write postgresql://USER@HOST:PORT/DATABASE")
	}
	p := &Proxy{listener: l, links: map[*link]bool{}, flow: make(chan struct{})}
	p.network, p.address = pgconn.NetworkAddress(config.Host, config.Port)
	close(p.flow)
	query := u.Query()
	query.Del("host")
	query.Del("port")
	if p.network == "unix" { // where nobody speaks TLS
		query.Set("sslmode", "disable")
	}
	u.Host, u.RawQuery = l.Addr().String(), query.Encode()
	p.dsn = u.String()
	p.pumps.Go(p.accept)
	return p, nil
}

// Close breaks all connections, closes the listener, and waits until nothing runs.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Cut()
	p.pumps.Wait()
	return err
}

// DSN is the way to the database through the proxy.
func (p *Proxy) DSN() string { return p.dsn }

// Cut breaks all connections, and refuses new ones until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = true
	p.resume()
	for l := range p.links {
		l.close()
	}
}

// Stall lets nothing through until Heal or Cut, and nobody is told: as a network does that
// loses all packets.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resume()
	p.flow = make(chan struct{})
}

// Heal lets everything through again. What was stalled goes on.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = false
	p.resume()
}

// resume ends a stall. The lock is held.
func (p *Proxy) resume() {
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
}

// flowing waits while bytes are stalled.
func (p *Proxy) flowing() {
	p.mu.Lock()
	flow := p.flow
	p.mu.Unlock()
	<-flow
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.address)
		if err != nil {
			client.Close()
			continue
		}
		p.add(&link{client: client, server: server})
	}
}

// add lets bytes through a new connection, unless it is refused.
func (p *Proxy) add(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses {
		l.close()
		return
	}
	p.links[l] = true
	p.pumps.Go(func() { p.pump(l, l.server, l.client) })
	p.pumps.Go(func() { p.pump(l, l.client, l.server) })
}

// link is one connection.
type link struct{ client, server net.Conn }

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// pump passes bytes on until either side has gone.
func (p *Proxy) pump(l *link, to, from net.Conn) {
	defer func() {
		l.close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, l)
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.flowing()
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
