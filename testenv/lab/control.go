package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/testenv/wan"
)

// stateFile is in the lab's directory while it is served.
const stateFile = "lab.json"

// State is what a program needs to find a lab that runs.
type State struct {
	ID     string `json:"id"`
	PID    int    `json:"pid"` // of the program that has it
	Socket string `json:"socket"`
	Plan   Plan   `json:"plan"`
}

// Status is how a lab is now.
type Status struct {
	State
	Nodes      []NodeStatus  `json:"nodes"`
	Links      []wan.State   `json:"links"`
	Counters   []wan.Counter `json:"counters"`
	Unroutable uint64        `json:"unroutable"` // packets that belonged to no site
	Calls      []CallStatus  `json:"calls"`
}

// NodeStatus is how a node is now.
type NodeStatus struct {
	Node
	State string `json:"state"` // running, paused or ended
	PID   int    `json:"pid,omitempty"`
	Ready bool   `json:"ready"`
	Log   string `json:"log"`
}

// LinkChange is a change of a direction between two sites, or of both.
type LinkChange struct {
	wan.Link
	OneWay bool   `json:"oneWay,omitempty"` // only From → To
	Class  string `json:"class,omitempty"`  // only this kind of traffic
	// Impairment is for Impair.
	Impairment wan.Impairment `json:"impairment"`
}

// Serve lets other programs steer the lab, until ctx ends, whose error it returns, or
// one of them asks for the lab's end ([Client.Down]), which returns nil. It does not
// close the lab.
func Serve(ctx context.Context, l *Lab) error {
	c, err := Listen(l)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// Control is a lab that other programs find.
type Control struct {
	*server
	listener net.Listener
	path     string // of the state file
}

// Listen lets other programs find the lab by the state file in its directory. Run answers
// them. The socket is for root alone.
func Listen(l *Lab) (*Control, error) {
	// Not in the lab's directory: the path of a socket must not exceed 107 bytes.
	socket := l.network.set.Path("sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for commands: %w", err), listener.Close())
	}
	s := &server{lab: l, state: State{ID: l.ID(), PID: os.Getpid(), Socket: socket, Plan: l.Plan}, down: make(chan struct{})}
	c := &Control{s, listener, filepath.Join(l.Dir(), stateFile)}
	if err := writeJSON(c.path, s.state); err != nil {
		return nil, errors.Join(fmt.Errorf("write the state file: %w", err), listener.Close())
	}
	return c, nil
}

// Run answers as [Serve] does, and closes the socket and removes the state file at its
// end.
func (c *Control) Run(ctx context.Context) error {
	defer c.listener.Close() // which removes the socket
	defer os.Remove(c.path)
	return c.run(ctx, c.listener)
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// server answers commands.
type server struct {
	lab   *Lab
	state State
	once  sync.Once
	down  chan struct{}

	mu    sync.Mutex
	calls []*heldCall // that go on, in the order of their answers
}

// run answers until ctx ends or Down is asked for; commands under way end with it.
func (s *server) run(ctx context.Context, listener net.Listener) error {
	commands, stop := context.WithCancel(ctx)
	defer stop()
	web := &http.Server{Handler: s.handler(), BaseContext: func(net.Listener) context.Context { return commands }}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("take commands: %w", err)
	case <-ctx.Done():
	case <-s.down:
	}
	stop()
	bounded, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if web.Shutdown(bounded) != nil {
		web.Close() // whoever still waits has had its time
	}
	<-served
	return ctx.Err()
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", handle(s.status))
	mux.HandleFunc("POST /cut", handle(s.link(func(r *wan.Router, l wan.Link, c LinkChange) error { return r.Cut(l, c.Class) })))
	mux.HandleFunc("POST /heal", handle(s.link(func(r *wan.Router, l wan.Link, c LinkChange) error { return r.Heal(l, c.Class) })))
	mux.HandleFunc("POST /impair", handle(s.link(func(r *wan.Router, l wan.Link, c LinkChange) error {
		return r.Impair(l, c.Class, c.Impairment)
	})))
	mux.HandleFunc("POST /clear", handle(s.link(func(r *wan.Router, l wan.Link, c LinkChange) error { return r.Clear(l, c.Class) })))
	mux.HandleFunc("POST /nodes", handle(s.node))
	mux.HandleFunc("GET /calls", handle(s.list))
	mux.HandleFunc("POST /calls", handle(s.call))
	mux.HandleFunc("POST /calls/end", handle(s.hangUp))
	mux.HandleFunc("POST /down", handle(s.end))
	return mux
}
