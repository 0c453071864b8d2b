package rpc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/cluster/certs"
)

const (
	// maxBody bounds a request and an answer, in bytes.
	maxBody = 1 << 20
	// maxCalls bounds the calls of one node that are served at once.
	maxCalls = 512
	// stopTime bounds the wait for calls that are being served when the server stops.
	stopTime = 5 * time.Second
	// timeoutHeader says how many milliseconds the other end will wait.
	timeoutHeader = "Conclave-Timeout"
	prefix        = "/rpc/"
	pingPath      = "/ping"
	idleTime      = 90 * time.Second
)

// Server answers other nodes. Make one with NewServer; add methods with Handle; Run it.
type Server struct {
	codes   Codes
	logger  hclog.Logger
	methods map[string]method

	mu    sync.Mutex
	calls map[certs.Identity]int // being served
}

type method func(ctx context.Context, peer certs.Identity, body []byte) (any, error)

// NewServer makes a server without methods.
func NewServer(codes Codes, logger hclog.Logger) *Server {
	return &Server{codes: codes, logger: logger, methods: map[string]method{}, calls: map[certs.Identity]int{}}
}

// Handle adds a method, before Run. It may be called many times at once.
func Handle[Req, Resp any](s *Server, name string, do func(ctx context.Context, peer certs.Identity, req Req) (Resp, error)) {
	s.methods[name] = func(ctx context.Context, peer certs.Identity, body []byte) (any, error) {
		var req Req
		if err := json.Unmarshal(body, &req); err != nil {
			return nil, fmt.Errorf("reading the request: %w", err)
		}
		return do(ctx, peer, req)
	}
}

// Run serves connections until ctx is done, and then the calls that have begun, for a
// while. It closes the listener.
func (s *Server) Run(ctx context.Context, l net.Listener, config *tls.Config) error {
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	srv := &http.Server{Handler: s, TLSConfig: config, Protocols: protocols, ReadHeaderTimeout: stopTime, IdleTimeout: idleTime,
		HTTP2:    &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime, MaxConcurrentStreams: 2 * maxCalls},
		ErrorLog: s.logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if err := srv.Shutdown(within); err != nil {
			_ = srv.Close() // what is left is cut off
		}
		stopped <- nil
	})
	defer stop()
	if err := srv.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving other nodes: %w", err)
	}
	return <-stopped
}

// ServeHTTP serves one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer, err := certs.PeerOf(*r.TLS)
	if err != nil { // the TLS configuration lets in nobody like that
		s.fail(w, err)
		return
	}
	if r.URL.Path == pingPath {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !s.enter(peer) {
		s.fail(w, ErrBusy)
		return
	}
	defer s.leave(peer)
	answer, err := s.serve(r, peer)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.logger.Debug("answer not sent", "peer", peer, "method", r.URL.Path, "error", err)
	}
}

func (s *Server) serve(r *http.Request, peer certs.Identity) (any, error) {
	name := strings.TrimPrefix(r.URL.Path, prefix)
	do := s.methods[name]
	if do == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNoMethod)
	}
	ctx := r.Context()
	if ms, err := strconv.ParseInt(r.Header.Get(timeoutHeader), 10, 64); err == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer cancel()
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	return do(ctx, peer, body)
}

// fail answers with an error. HTTP has no part in it but to say that it is one.
func (s *Server) fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	if err := json.NewEncoder(w).Encode(failure{Code: s.codes.of(err), Message: err.Error()}); err != nil {
		s.logger.Debug("error not sent", "error", err)
	}
}

func (s *Server) enter(peer certs.Identity) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[peer] >= maxCalls {
		return false
	}
	s.calls[peer]++
	return true
}

func (s *Server) leave(peer certs.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[peer]--; s.calls[peer] == 0 {
		delete(s.calls, peer)
	}
}
