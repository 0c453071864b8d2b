package raftgroup

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// protocol is the ALPN name of a connection to a Raft server, with its id behind it.
const protocol = "conclave-raft/"

const (
	handshakeTime = 2 * time.Second
	handshakes    = 64 // at once; more wait in the kernel's queue
)

// streams are the group's connections, as the Raft transport wants them. Whoever
// connects says which server it wants, and reaches that one or none.
type streams struct {
	self     raft.ServerAddress
	listener net.Listener
	server   *tls.Config
	client   *tls.Config
	dialer   *net.Dialer
	logger   hclog.Logger

	accepted chan net.Conn
	slots    chan struct{}
	ctx      context.Context
	cancel   context.CancelFunc
	workers  sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func newStreams(cfg Config, self raft.ServerID) *streams {
	ctx, cancel := context.WithCancel(context.Background())
	s := &streams{
		self: serverAddress(self, cfg.Advertise), listener: cfg.Listener, logger: cfg.Logger,
		server: cfg.ServerTLS.Clone(), client: cfg.ClientTLS.Clone(), dialer: cfg.Dialer,
		accepted: make(chan net.Conn), slots: make(chan struct{}, handshakes),
		ctx: ctx, cancel: cancel, open: map[net.Conn]struct{}{},
	}
	wanted := protocol + string(self)
	s.server.NextProtos = []string{wanted}
	choose := cfg.ServerTLS.GetConfigForClient
	s.server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		// A client that names no protocol would be let in by crypto/tls.
		if !slices.Contains(hello.SupportedProtos, wanted) {
			return nil, fmt.Errorf("connection for %v reached Raft server %s", hello.SupportedProtos, self)
		}
		if choose == nil {
			return nil, nil
		}
		chosen, err := choose(hello)
		if chosen != nil {
			chosen = chosen.Clone()
			chosen.NextProtos = []string{wanted}
		}
		return chosen, err
	}
	s.workers.Go(s.listen)
	return s
}

// Dial connects to the server that the address names.
func (s *streams) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	id, hostPort := splitAddress(address)
	config := s.client.Clone()
	config.NextProtos = []string{protocol + string(id)}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(hostPort)
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	conn, err := (&tls.Dialer{NetDialer: s.dialer, Config: config}).DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return nil, fmt.Errorf("connecting to Raft server %s: %w", address, err)
	}
	if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol == "" {
		_ = conn.Close()
		return nil, fmt.Errorf("connecting to Raft server %s: something else answers there", address)
	}
	return s.keep(conn)
}

// Accept gives the next connection whose other end has shown its certificate.
func (s *streams) Accept() (net.Conn, error) {
	select {
	case conn := <-s.accepted:
		return conn, nil
	case <-s.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the listener and all connections, in both directions.
func (s *streams) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.workers.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.(*stream).Conn.Close()
	}
	clear(s.open)
	return err
}

// Addr is the address of this server, as others dial it.
func (s *streams) Addr() net.Addr { return streamAddr(s.self) }

type streamAddr raft.ServerAddress

func (a streamAddr) Network() string { return "tcp" }
func (a streamAddr) String() string  { return string(a) }

func (s *streams) listen() {
	for {
		conn, err := s.listener.Accept()
		if s.ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if err != nil {
			s.logger.Warn("cannot accept a Raft connection", "error", err)
			pause(s.ctx, retryMost)
			continue
		}
		s.slots <- struct{}{}
		s.workers.Go(func() {
			defer func() { <-s.slots }()
			s.handshake(tls.Server(conn, s.server))
		})
	}
}

func (s *streams) handshake(conn *tls.Conn) {
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		s.logger.Debug("refused a Raft connection", "from", conn.RemoteAddr(), "error", err)
		_ = conn.Close()
		return
	}
	kept, err := s.keep(conn)
	if err != nil {
		return
	}
	select {
	case s.accepted <- kept:
	case <-ctx.Done():
		_ = kept.Close()
	}
}

// stream is a connection that is closed with the group.
type stream struct {
	net.Conn
	of *streams
}

func (s *streams) keep(conn net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	kept := &stream{Conn: conn, of: s}
	s.open[kept] = struct{}{}
	return kept, nil
}

// Close closes the connection.
func (c *stream) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
