package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/cmd/node/clustering"
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/store/money"
)

// Config is how a node runs. DevConfig gives the defaults of `node dev`, RunConfig
// those of `node run`.
type Config struct {
	Site, Node string
	DataDir    string // the store, unless Store names another; the lock
	Store      string // a DSN for store/sqlstore; empty: SQLite within DataDir
	StoreFile  string // a file that holds it
	// StoreRegion is that of CockroachDB that the node is in; empty: it has none.
	StoreRegion string
	SIP         string // HOST:PORT, UDP and TCP
	HTTP        string // HOST:PORT
	Profiling   string // HOST:PORT; empty: none
	RTP         string // FROM-TO, on the host of SIP
	Realm       string // of digest authentication
	Prompts     string // directory with the operator's prompts; empty: the built-in ones

	// One of a cluster, if ClusterDir is set; see package clustering.
	ClusterDir string
	Cluster    string
	Join       string
	Founders   string
	Role       string

	Seed     bool // put the demo data in, once
	OpenHTTP bool // the API needs no token from loopback

	Heartbeat       time.Duration // how far off the end of a stay may be after a crash
	MediaTimeout    time.Duration // a caller whose RTP stops for so long is released; 0: never
	ForwardMedia    string        // a callflow.ForwardMedia
	MaxMediaLoad    int           // percent of the processors' time for audio, above which callers are refused; 0: no limit
	MaxCalls        int           // on this node; 0: no limit
	MaxParticipants int           // in conferences on this node; 0: no limit

	MaxSpeakers  int  // of a crowd who are heard at once in a conference
	AutoGain     bool // speakers are brought to one loudness
	ComfortNoise int  // dBm0 under every mix; 0: none

	SendBatching string // of RTP packets: BatchAuto or BatchOff

	StorePatience time.Duration // for a question on a call's way, until the node goes on without the store
	OfflineCredit string        // decimal; what an account may use meanwhile beyond what the store knows of
	CopyMaxAge    time.Duration // of the copy that calls are decided by meanwhile; 0: any age
	JournalSize   int           // MiB; bounds what waits for the store

	Recordings         string // directory for their files; empty: within DataDir
	RecordingRetention int    // days, where a room says nothing of it; 0: for ever
	RecordingMinFree   int    // MiB that recordings leave free on the disk
}

// DevConfig is a whole system on one machine, for trying and developing.
func DevConfig() Config {
	return Config{
		Site: "local", Node: "node1", DataDir: defaultDataDir(),
		SIP: "127.0.0.1:5060", HTTP: "127.0.0.1:8080", RTP: "20000-29999", Realm: "conclave",
		Role: "all", Seed: true, OpenHTTP: true,
		Heartbeat: 5 * time.Second, MediaTimeout: 60 * time.Second, ForwardMedia: string(callflow.MediaAuto),
		MaxSpeakers: mixer.DefaultSpeakers, AutoGain: true, ComfortNoise: -60, SendBatching: BatchAuto,
		StorePatience: time.Second, OfflineCredit: "20.00", CopyMaxAge: 24 * time.Hour, JournalSize: 1024,
		RecordingMinFree: 512,
	}
}

// RunConfig is a node that carriers call. It has no SIP address: that must be named.
func RunConfig() Config {
	c := DevConfig()
	c.SIP, c.Seed, c.OpenHTTP = "", false, false
	c.MaxMediaLoad = 80 // a developer's machine does much else, and audio is late on it at times
	if name, err := os.Hostname(); err == nil {
		c.Node = name
	}
	if os.Geteuid() == 0 {
		c.DataDir = "/var/lib/conclave"
	}
	return c
}

// defaultDataDir is under the user's state directory (XDG base directories).
func defaultDataDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "conclave")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "conclave-data"
	}
	return filepath.Join(home, ".local", "state", "conclave")
}

// settings are the values of a Config that had to be understood.
type settings struct {
	sip      netip.AddrPort
	rtpFirst uint16
	rtpLast  uint16
	media    callflow.ForwardMedia
	dsn      string

	offlineCredit money.Amount
}

// check reads the settings; every error names the flag, the value and the fix.
func (c Config) check() (settings, error) {
	var s settings
	var err error
	if c.SIP == "" {
		return s, errors.New("--sip is missing: name the address that callers reach this machine by, such as 192.0.2.10:5060")
	}
	if s.sip, err = hostPort("--sip", c.SIP); err != nil {
		return s, err
	}
	if s.sip.Addr().IsUnspecified() {
		return s, fmt.Errorf("--sip %q: name the address that callers reach this machine by, such as 192.0.2.10:5060; it is written into SIP and SDP", c.SIP)
	}
	if _, err = hostPort("--http", c.HTTP); err != nil {
		return s, err
	}
	if c.Profiling != "" {
		if _, err = hostPort("--profiling", c.Profiling); err != nil {
			return s, err
		}
	}
	if s.rtpFirst, s.rtpLast, err = portRange(c.RTP); err != nil {
		return s, err
	}
	if c.Site == "" || c.Node == "" {
		return s, fmt.Errorf("--site %q, --node %q: both need a name", c.Site, c.Node)
	}
	if c.ClusterDir == "" && (c.Cluster != "" || c.Join != "" || c.Founders != "") {
		return s, errors.New("--cluster, --join and --founders are for a node of a cluster: name its certificates with --cluster-dir; node cluster add makes them")
	}
	if c.ClusterDir != "" && c.Store == "" && c.StoreFile == "" {
		return s, errors.New("--cluster-dir without --store: the nodes of a cluster share a database; name it, such as postgresql://conclave@db.example/conclave")
	}
	if c.Heartbeat < 100*time.Millisecond {
		return s, fmt.Errorf("heartbeat %v: at least 100ms", c.Heartbeat)
	}
	if c.MaxCalls < 0 || c.MaxParticipants < 0 || c.MediaTimeout < 0 {
		return s, fmt.Errorf("--max-calls %d, --max-participants %d, --media-timeout %v: none may be below 0", c.MaxCalls, c.MaxParticipants, c.MediaTimeout)
	}
	if c.MaxMediaLoad < 0 || c.MaxMediaLoad > 100 {
		return s, fmt.Errorf("--max-media-load %d: write a percentage, 1 to 100, or 0 to refuse nobody", c.MaxMediaLoad)
	}
	if c.MaxSpeakers < 1 || c.MaxSpeakers > 32 {
		return s, fmt.Errorf("--max-speakers %d: write 1 to 32; more than a few at once are not understood", c.MaxSpeakers)
	}
	if c.ComfortNoise != 0 && (c.ComfortNoise < -90 || c.ComfortNoise > -40) {
		return s, fmt.Errorf("--comfort-noise %d: write a level in dBm0, -90 to -40, or 0 for none", c.ComfortNoise)
	}
	if c.SendBatching != BatchAuto && c.SendBatching != BatchOff {
		return s, fmt.Errorf("--send-batching %q: write %s (by io_uring, where the machine allows it) or %s", c.SendBatching, BatchAuto, BatchOff)
	}
	if s.media, err = callflow.ParseForwardMedia(c.ForwardMedia); err != nil {
		return s, fmt.Errorf("--forward-media: %w", err)
	}
	if c.RecordingRetention < 0 || c.RecordingRetention > maxRetention || c.RecordingMinFree < 0 || c.RecordingMinFree > maxMinFree {
		return s, fmt.Errorf("--recording-retention %d, --recording-min-free %d: write 0 (for ever) to %d days, and 0 to %d MiB", c.RecordingRetention, c.RecordingMinFree, maxRetention, maxMinFree)
	}
	if s.offlineCredit, err = c.offline(); err != nil {
		return s, err
	}
	s.dsn, err = c.DSN()
	return s, err
}

// offline checks how the node goes on without the store, and returns the credit.
func (c Config) offline() (money.Amount, error) {
	switch {
	case c.StorePatience < 50*time.Millisecond || c.StorePatience > 5*time.Second:
		return 0, fmt.Errorf("--store-patience %v: write 50ms to 5s; callers wait for it", c.StorePatience)
	case c.CopyMaxAge < 0:
		return 0, fmt.Errorf("--copy-max-age %v: write 0 (any age) or more", c.CopyMaxAge)
	case c.JournalSize < minJournal || c.JournalSize > maxJournal:
		return 0, fmt.Errorf("--journal-size %d: write %d to %d MiB", c.JournalSize, minJournal, maxJournal)
	}
	credit, err := money.Parse(c.OfflineCredit)
	if err != nil || credit < 0 {
		return 0, fmt.Errorf("--offline-credit %q: write a sum of 0 or more, such as 20.00", c.OfflineCredit)
	}
	return credit, nil
}

// Bounds of the journal's size, in MiB: four segments, and what is still read in a moment.
const minJournal, maxJournal = 32, 64 << 10

// Bounds of what is said of recordings: a hundred years, and a pebibyte.
const maxRetention, maxMinFree = 36525, 1 << 30

// DSN is where the store is.
func (c Config) DSN() (string, error) {
	switch {
	case c.Store != "" && c.StoreFile != "":
		return "", errors.New("--store and --store-file: give one of them")
	case c.StoreFile != "":
		text, err := os.ReadFile(c.StoreFile)
		if err != nil {
			return "", fmt.Errorf("--store-file: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	case c.Store != "":
		return c.Store, nil
	}
	return filepath.Join(c.DataDir, "conclave.db"), nil
}

// hostPort reads an address with a port. A host name is looked up.
func hostPort(flag, value string) (netip.AddrPort, error) {
	fix := func(why string) error {
		return fmt.Errorf("%s %q: %s; write HOST:PORT, such as 127.0.0.1:5060 or [::1]:5060", flag, value, why)
	}
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return netip.AddrPort{}, fix(err.Error())
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fix("the port is not a number from 0 to 65535")
	}
	if host == "" {
		return netip.AddrPort{}, fix("the host is missing")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		found, lookupErr := net.LookupIP(host)
		if lookupErr != nil || len(found) == 0 {
			return netip.AddrPort{}, fix("the host is not an address and cannot be looked up")
		}
		addr, _ = netip.AddrFromSlice(found[0])
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}

func portRange(value string) (first, last uint16, err error) {
	from, to, ok := strings.Cut(value, "-")
	a, errA := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	if err := errors.Join(errA, errB); !ok || err != nil || a < 1024 || b <= a {
		return 0, 0, fmt.Errorf("--rtp %q: write FROM-TO with two ports from 1024 to 65535, the first the lower, such as 20000-29999", value)
	}
	return uint16(a), uint16(b), nil
}

// defaultClusterPort is the first of the ports for other nodes.
const defaultClusterPort = 7940

// clustering is what concerns the cluster.
func (c Config) clustering(s settings) clustering.Config {
	address := c.Cluster
	if address == "" {
		address = netip.AddrPortFrom(s.sip.Addr(), defaultClusterPort).String()
	}
	return clustering.Config{Dir: c.ClusterDir, DataDir: filepath.Join(c.DataDir, "cluster"), Address: address, Join: c.Join, Founders: c.Founders,
		Role: c.Role, SIP: s.sip.String(), HTTP: c.HTTP, Capacity: c.MaxParticipants, Version: version()}
}

// named is the configuration with the names that the node's certificate gives it.
func (c Config) named() (Config, error) {
	if c.ClusterDir == "" {
		return c, nil
	}
	id, err := clustering.Identity(c.ClusterDir)
	if err != nil {
		return c, err
	}
	standard := RunConfig()
	if c.Site != standard.Site && c.Site != id.Site || c.Node != standard.Node && c.Node != id.Node {
		return c, fmt.Errorf("--site %q, --node %q: the certificate in %s is of node %s of site %s; leave both out, or name another --cluster-dir", c.Site, c.Node, c.ClusterDir, id.Node, id.Site)
	}
	c.Site, c.Node = id.Site, id.Node
	return c, nil
}
