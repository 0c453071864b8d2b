package server

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/testenv/loopback"
)

// tryStart tries to make a node, and gives it back at once.
func tryStart(t *testing.T, change func(*Config)) error {
	t.Helper()
	port := loopback.Ports(t, 2)
	c := DevConfig()
	c.DataDir, c.SIP, c.HTTP = t.TempDir(), loopback.Address(port), loopback.Address(port+1)
	change(&c)
	n, err := New(t.Context(), c, clockwork.NewRealClock(), hclog.NewNullLogger())
	if err == nil {
		n.close()
	}
	return err
}

// OP1: what is in the way is named, with the flag that gets around it.
func TestStartErrorsNameTheFlag(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"SIP port in use, TCP", func(c *Config) { c.SIP = tcp.Addr().String() }, []string{"--sip", "in use", tcp.Addr().String()}},
		{"SIP port in use, UDP", func(c *Config) { c.SIP = udp.LocalAddr().String() }, []string{"--sip", "in use"}},
		{"HTTP port in use", func(c *Config) { c.HTTP = tcp.Addr().String() }, []string{"--http", "in use"}},
		{"an address of another machine", func(c *Config) { c.SIP = "192.0.2.1:5060" }, []string{"--sip", "192.0.2.1"}},
		{"data below a file", func(c *Config) { c.DataDir = file + "/data" }, []string{"--data", file}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := tryStart(t, c.change)
			if err == nil {
				t.Fatal("it started")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// Two nodes never share a data directory.
func TestDataDirectoryInUse(t *testing.T) {
	l := startLab(t, nil)
	err := tryStart(t, func(c *Config) { c.DataDir = l.node.config.DataDir })
	if err == nil || !strings.Contains(err.Error(), "--data") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

// What was changed in the demo data stays changed.
func TestSeedOnlyOnce(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := tryStart(t, func(c *Config) { c.DataDir = dir }); err != nil {
			t.Fatal(err)
		}
	}
}
