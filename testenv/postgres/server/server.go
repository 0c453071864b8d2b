package server

import (
	"fmt"
	"net/netip"
	"net/url"
	"os/exec"
)

// Server is a PostgreSQL that believes everybody who reaches it.
type Server struct {
	launched
	url string
}

// Local starts a server that is reached by a socket in its folder. Its URL is that of
// the database from which others are made: see [Fresh].
func Local() (*Server, error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	l, err := launch(bin, "", (*exec.Cmd).Start)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return &Server{l, l.dsn}, nil
}

// Listen starts a server with an empty database "conclave", whose URL is its own, on an
// address, port 5432. start starts its process, where the address is; [exec.Cmd.Start]
// for an address of this machine.
func Listen(address netip.Addr, start func(*exec.Cmd) error) (*Server, error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	l, err := launch(bin, address.String(), start)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL at %v: %w", address, err)
	}
	s := &Server{l, (&url.URL{Scheme: "postgresql", User: url.User("conclave"), Host: netip.AddrPortFrom(address, 5432).String(),
		Path: "/conclave", RawQuery: "sslmode=disable"}).String()}
	if err := administer(l.dsn, "CREATE DATABASE conclave"); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// DSN is the URL of the database.
func (s *Server) DSN() string { return s.url }

// Close stops the server and waits until its files are removed.
func (s *Server) Close() error {
	s.watched.Close() // it is a pipe: the shell sees its end
	if err := s.command.Wait(); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}
