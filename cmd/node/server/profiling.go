package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// serveProfiles serves what the Go runtime tells of a running program: where processor
// time and memory go, and what goroutines wait for. It asks nobody who they are; the
// address is therefore one of its own, which nobody has unless the operator names it.
func (n *Node) serveProfiles(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(n.profiles); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bindProfiles binds their port, if there is one.
func (n *Node) bindProfiles() error {
	if n.config.Profiling == "" {
		return nil
	}
	var err error
	if n.profiles, err = net.Listen("tcp", n.config.Profiling); err != nil {
		return inUse("--profiling", n.config.Profiling, err)
	}
	return nil
}
