package postgres

import (
	"fmt"
	"net/netip"
	"net/url"
	"os/exec"
)

// Server is a PostgreSQL that listens on an address, port 5432, and believes everybody.
type Server struct {
	launched
	address netip.Addr
}

// Listen starts a server with an empty database "conclave". start starts its process,
// where the address is; [exec.Cmd.Start] for an address of this machine. The server
// stops, and its files are removed, by Close or when this program ends.
func Listen(address netip.Addr, start func(*exec.Cmd) error) (*Server, error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	l, err := launch(bin, address.String(), start)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL at %v: %w", address, err)
	}
	s := &Server{l, address}
	if err := administer(l.dsn, "CREATE DATABASE conclave"); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// DSN is the URL of the database, over the network.
func (s *Server) DSN() string {
	return (&url.URL{Scheme: "postgresql", User: url.User("conclave"), Host: netip.AddrPortFrom(s.address, 5432).String(),
		Path: "/conclave", RawQuery: "sslmode=disable"}).String()
}

// Close stops the server and waits until its files are removed.
func (s *Server) Close() error {
	s.watched.Close() // it is a pipe: the shell sees its end
	if err := s.command.Wait(); err != nil {
		return fmt.Errorf("stop PostgreSQL at %v: %w", s.address, err)
	}
	return nil
}
