package signaling

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
)

// ListenAddr is one address to listen on.
type ListenAddr struct {
	Network string // "udp" or "tcp"
	Addr    string // IP:port; [IP]:port for IPv6; an empty IP means all addresses
}

// Config is what an Endpoint needs. Zero fields other than Listen get defaults.
type Config struct {
	Listen    []ListenAddr
	UserAgent string // sent as Server and User-Agent; empty: neither is sent
	Logger    hclog.Logger
	Clock     clockwork.Clock
	// T1 is the estimate of the round-trip time (RFC 3261 section 17.1.1.1), by
	// default 500 ms. A 2xx is sent again after T1, 2*T1 ... up to 8*T1, and given
	// up after 64*T1.
	T1 time.Duration
	// SessionExpires is the session interval we ask for (RFC 4028), by default 30
	// minutes; negative: we never ask, but honour what the peer asks.
	SessionExpires time.Duration
	// MinSE is the shortest session interval we take, by default and at least 90 s.
	MinSE  time.Duration
	Limits Limits
}

// Limits bound what strangers can make the endpoint do. A zero field gets its
// default. Rates are in messages per second.
type Limits struct {
	SourceRate, SourceBurst   float64 // of one address; 200 and 1,000
	NetworkRate, NetworkBurst float64 // of one /24 (IPv6: /64); 1,000 and 5,000
	Sources                   int     // token buckets kept, twice this at most; 16,384
	// Trusted networks (carriers) have no rate limit, until Endpoint.Trust names others.
	Trusted []netip.Prefix
	// MaxDialogs: more are refused with 503 and Retry-After; 10,000.
	MaxDialogs int
	// MaxPending INVITEs without a final response; more: 503; 1,000.
	MaxPending int
	// MaxTransactions of servers; more: 503 without a transaction; 50,000. Each
	// request by UDP is kept 32 s.
	MaxTransactions int
	// MaxConnections by TCP, of all and of one address; more are closed at once;
	// 4,096 and 256.
	MaxConnections, MaxConnectionsPerSource int
	// IdleTimeout closes a TCP connection on which nothing came; 10 minutes.
	IdleTimeout time.Duration
	// MessageTimeout is how long one message may take on a TCP connection, the
	// first included, and how long a write may block; 10 s.
	MessageTimeout time.Duration
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Clock == nil {
		c.Clock = clockwork.NewRealClock()
	}
	setDefault(&c.T1, 500*time.Millisecond)
	setDefault(&c.SessionExpires, 30*time.Minute)
	c.SessionExpires = max(c.SessionExpires, 0)
	c.MinSE = max(c.MinSE, minimumMinSE)
	if c.SessionExpires > 0 {
		c.SessionExpires = max(c.SessionExpires, c.MinSE)
	}
	l := &c.Limits
	setDefault(&l.SourceRate, 200)
	setDefault(&l.SourceBurst, 1000)
	setDefault(&l.NetworkRate, 1000)
	setDefault(&l.NetworkBurst, 5000)
	setDefault(&l.Sources, 16384)
	setDefault(&l.MaxDialogs, 10000)
	setDefault(&l.MaxPending, 1000)
	setDefault(&l.MaxTransactions, 50000)
	setDefault(&l.MaxConnections, 4096)
	setDefault(&l.MaxConnectionsPerSource, 256)
	setDefault(&l.IdleTimeout, 10*time.Minute)
	setDefault(&l.MessageTimeout, 10*time.Second)
}

func setDefault[T int | float64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (c *Config) validate() error {
	if len(c.Listen) == 0 {
		return errors.New("listen for SIP: no address is given; name at least one, such as udp 192.0.2.1:5060")
	}
	for _, l := range c.Listen {
		if l.Network != "udp" && l.Network != "tcp" {
			return fmt.Errorf("listen for SIP on %s: network %q is not known; use udp or tcp", l.Addr, l.Network)
		}
	}
	if strings.ContainsAny(c.UserAgent, "\r\n") {
		return errors.New("listen for SIP: the user agent's name has a line break; remove it")
	}
	return nil
}
