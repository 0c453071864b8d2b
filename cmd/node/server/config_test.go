package server

import (
	"strings"
	"testing"
	"time"
)

// OP1: every config error names the key, the value and the fix.
func TestConfigErrorsNameFlagValueAndFix(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.SIP = "5060" }, []string{"--sip", `"5060"`, "HOST:PORT"}},
		{func(c *Config) { c.SIP = "127.0.0.1:99999" }, []string{"--sip", "99999", "0 to 65535"}},
		{func(c *Config) { c.SIP = ":5060" }, []string{"--sip", "the host is missing"}},
		{func(c *Config) { c.SIP = "0.0.0.0:5060" }, []string{"--sip", "0.0.0.0", "192.0.2.10"}},
		{func(c *Config) { c.HTTP = "localhost" }, []string{"--http", "localhost", "HOST:PORT"}},
		{func(c *Config) { c.RTP = "20000" }, []string{"--rtp", "20000", "FROM-TO"}},
		{func(c *Config) { c.RTP = "30000-20000" }, []string{"--rtp", "the lower"}},
		{func(c *Config) { c.RTP = "80-90" }, []string{"--rtp", "1024"}},
		{func(c *Config) { c.SIP = "" }, []string{"--sip", "missing", "192.0.2.10:5060"}},
		{func(c *Config) { c.Node = "" }, []string{"--node", "name"}},
		{func(c *Config) { c.MaxCalls = -1 }, []string{"--max-calls", "-1", "below 0"}},
		{func(c *Config) { c.Store, c.StoreFile = "a", "b" }, []string{"--store", "--store-file", "one of them"}},
		{func(c *Config) { c.StoreFile = "/nowhere/at all" }, []string{"--store-file", "/nowhere/at all"}},
		{func(c *Config) { c.StorePatience = time.Minute }, []string{"--store-patience", "1m0s", "5s"}},
		{func(c *Config) { c.OfflineCredit = "much" }, []string{"--offline-credit", `"much"`, "20.00"}},
		{func(c *Config) { c.OfflineCredit = "-1" }, []string{"--offline-credit", `"-1"`, "0 or more"}},
		{func(c *Config) { c.CopyMaxAge = -1 }, []string{"--copy-max-age", "0 (any age)"}},
		{func(c *Config) { c.JournalSize = 1 }, []string{"--journal-size", "1", "MiB"}},
		{func(c *Config) { c.SendBatching = "on" }, []string{"--send-batching", `"on"`, "write auto", "or off"}},
		{func(c *Config) { c.ForwardMedia = "both" }, []string{"--forward-media", `"both"`, "auto (direct inside a site, relay between sites), direct or relay"}},
		{func(c *Config) { c.Heartbeat = 1 }, []string{"heartbeat", "100ms"}},
	} {
		config := DevConfig()
		c.change(&config)
		_, err := config.check()
		if err == nil {
			t.Errorf("%+v was accepted", config)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
	if s, err := DevConfig().check(); err != nil || s.rtpFirst != 20000 || s.rtpLast != 29999 || s.sip.Port() != 5060 {
		t.Errorf("the defaults: %+v, %v", s, err)
	}
}
