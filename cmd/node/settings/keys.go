package settings

import (
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/conclave-voice/conclave/cmd/node/server"
)

// Log is how a node logs.
type Log struct {
	Level string
	JSON  bool
}

// key is one thing that can be configured. Its usage is said in one place: here.
type key struct {
	section string
	add     func(f *pflag.FlagSet, c *server.Config, l *Log)
	name    string
}

// The sections of the documentation.
const (
	sectionIdentity = "Who the node is"
	sectionNetwork  = "Where it listens"
	sectionData     = "What it keeps"
	sectionCluster  = "The cluster that it is of"
	sectionAway     = "While the database is away"
	sectionCalls    = "Calls"
	sectionAudio    = "What conferences sound like"
	sectionRecord   = "Recordings"
	sectionLog      = "Logs"
)

// keys are all of them, in the order of the documentation. A new one goes here and
// nowhere else.
func keys() []key {
	text := func(section, name, usage string, of func(*server.Config) *string) key {
		return key{section: section, name: name, add: func(f *pflag.FlagSet, c *server.Config, _ *Log) {
			v := of(c)
			f.StringVar(v, name, *v, usage)
		}}
	}
	number := func(section, name, usage string, of func(*server.Config) *int) key {
		return key{section: section, name: name, add: func(f *pflag.FlagSet, c *server.Config, _ *Log) {
			v := of(c)
			f.IntVar(v, name, *v, usage)
		}}
	}
	duration := func(section, name, usage string, of func(*server.Config) *time.Duration) key {
		return key{section: section, name: name, add: func(f *pflag.FlagSet, c *server.Config, _ *Log) {
			v := of(c)
			f.DurationVar(v, name, *v, usage)
		}}
	}
	return []key{
		text(sectionIdentity, "site", "name of the `SITE` that the node is at; nodes of one site share a fast network", func(c *server.Config) *string { return &c.Site }),
		text(sectionIdentity, "node", "`NAME` of the node, unlike that of any other node of any site; it must not change while the node has data", func(c *server.Config) *string { return &c.Node }),

		text(sectionNetwork, "sip", "`HOST:PORT` for SIP, UDP and TCP. The host is written into SIP and SDP: name the one that callers reach", func(c *server.Config) *string { return &c.SIP }),
		text(sectionNetwork, "rtp", "`FROM-TO`: ports for RTP, two for each caller, on the host of sip", func(c *server.Config) *string { return &c.RTP }),
		text(sectionNetwork, "http", "`HOST:PORT` for the API, health and metrics", func(c *server.Config) *string { return &c.HTTP }),
		text(sectionNetwork, "profiling", "`HOST:PORT` for Go's profiles (go tool pprof http://HOST:PORT/debug/pprof/profile); nobody is asked for a password there: keep it on 127.0.0.1. Empty: none", func(c *server.Config) *string { return &c.Profiling }),

		text(sectionData, "data", "`DIRECTORY` that the node keeps its data in", func(c *server.Config) *string { return &c.DataDir }),
		text(sectionData, "store", "`URL` of the database that all nodes share, such as postgresql://conclave@db.example/conclave; empty: SQLite in the data directory, for one node alone", func(c *server.Config) *string { return &c.Store }),
		text(sectionData, "store-file", "`FILE` with the URL of the database, so that its password is in no process list", func(c *server.Config) *string { return &c.StoreFile }),
		text(sectionData, "store-region", "`REGION` of CockroachDB that the node is in, if the database has regions, the same at all nodes of a site; the URL of the database names a node of CockroachDB in it. node init then puts tables and rows where they are used; empty: the database has no regions", func(c *server.Config) *string { return &c.StoreRegion }),
		text(sectionData, "prompts", "`DIRECTORY` with prompts of your own: en/enter-code.wav replaces that one, de/... adds a language, numbers/NUMBER/en/... and customers/ID/en/... speak for those alone", func(c *server.Config) *string { return &c.Prompts }),

		duration(sectionAway, "store-patience", "`TIME` that a question on a call's way waits for the database, 50ms to 5s; then the call, and those behind it, are decided by the copy in the data directory", func(c *server.Config) *time.Duration { return &c.StorePatience }),
		text(sectionAway, "offline-credit", "`SUM` that each account may use at this node before the database is asked again, in its own currency, and no more than it had last; it may take the balance below the credit limit by as much. 0: no stay begins, and none goes on when what it has reserved is used up", func(c *server.Config) *string { return &c.OfflineCredit }),
		duration(sectionAway, "copy-max-age", "`TIME`: an older copy decides no calls; 0: a copy of any age does", func(c *server.Config) *time.Duration { return &c.CopyMaxAge }),
		number(sectionAway, "journal-size", "`MEBIBYTES` of the disk for records that wait for the database, some 1 kB for each call and stay; calls are refused when three quarters are in use", func(c *server.Config) *int { return &c.JournalSize }),

		text(sectionCluster, "cluster-dir", "`DIRECTORY` with the node's certificates and secrets, as node cluster add makes it; empty: the node is alone. It names site and node", func(c *server.Config) *string { return &c.ClusterDir }),
		text(sectionCluster, "cluster", "`ADDRESS:PORT` for other nodes, and the first of four ports: RPC, Raft (TCP), gossip in the site and across sites (TCP and UDP); empty: the address of sip and port 7940", func(c *server.Config) *string { return &c.Cluster }),
		text(sectionCluster, "join", "`HOST:PORT,...` of any other nodes, as they have it in cluster; one that answers is enough", func(c *server.Config) *string { return &c.Join }),
		text(sectionCluster, "founders", "`NODE,...` of this site that begin its Raft group together, the same list at each of them; empty at a node that joins a site which runs", func(c *server.Config) *string { return &c.Founders }),
		text(sectionCluster, "role", "`ROLE`: all, edge (takes calls, hosts no conference) or processing", func(c *server.Config) *string { return &c.Role }),

		text(sectionCalls, "realm", "`REALM` of digest authentication; it must not change while SIP users have passwords", func(c *server.Config) *string { return &c.Realm }),
		number(sectionCalls, "max-media-load", "`PERCENT` of the processors' time for audio, above which new callers are refused, with 503, as they are while audio is late: before those that are there hear it. 0: never", func(c *server.Config) *int { return &c.MaxMediaLoad }),
		number(sectionCalls, "max-calls", "`NUMBER` of calls that the node takes at once; more are refused with 503. 0: no limit", func(c *server.Config) *int { return &c.MaxCalls }),
		number(sectionCalls, "max-participants", "`NUMBER` of participants in conferences of the node; more are told that it is full. 0: no limit", func(c *server.Config) *int { return &c.MaxParticipants }),
		duration(sectionCalls, "media-timeout", "`TIME` without any RTP after which a caller is released; 0: never", func(c *server.Config) *time.Duration { return &c.MediaTimeout }),
		text(sectionCalls, "forward-media", "`WAY` of the RTP of callers whose conference is at another node: auto (between the caller and that node inside a site, through the node that took the call between sites), direct or relay (everywhere). What a caller's network or telephone does not take is relayed", func(c *server.Config) *string { return &c.ForwardMedia }),
		duration(sectionCalls, "heartbeat", "`TIME` between signs of life in the journal: how far off the end of a stay may be after a crash", func(c *server.Config) *time.Duration { return &c.Heartbeat }),

		number(sectionAudio, "max-speakers", "`NUMBER` of callers who are heard at once where more than twice as many may speak, 1 to 32: the loudest, once they speak. Others are heard when one of them pauses, or when they are clearly louder", func(c *server.Config) *int { return &c.MaxSpeakers }),
		{section: sectionAudio, name: "auto-gain", add: func(f *pflag.FlagSet, c *server.Config, _ *Log) {
			f.BoolVar(&c.AutoGain, "auto-gain", c.AutoGain, "bring those who speak to one loudness, by -6 to +15 dB; false: leave them as they are")
		}},
		number(sectionAudio, "comfort-noise", "`LEVEL` in dBm0, -90 to -40, of the noise under a conference, so that one in which nobody speaks is not taken to be dead; 0: none", func(c *server.Config) *int { return &c.ComfortNoise }),
		text(sectionAudio, "send-batching", "`HOW` audio leaves: auto (of up to 64 callers by one system call, which costs less, where the machine lets the node use io_uring; the log tells) or off (of each by itself)", func(c *server.Config) *string { return &c.SendBatching }),

		text(sectionRecord, "recordings", "`DIRECTORY` for the files of recordings, best on a disk of its own; empty: recordings in the data directory", func(c *server.Config) *string { return &c.Recordings }),
		number(sectionRecord, "recording-retention", "`DAYS` that recordings are kept after their end, where their room does not say how long, the same at all nodes. 0: until somebody removes them", func(c *server.Config) *int { return &c.RecordingRetention }),
		number(sectionRecord, "recording-min-free", "`MEBIBYTES` that recordings leave free on their disk: with less, they end, and calls go on", func(c *server.Config) *int { return &c.RecordingMinFree }),

		{section: sectionLog, name: "log-level", add: func(f *pflag.FlagSet, _ *server.Config, l *Log) {
			f.StringVar(&l.Level, "log-level", l.Level, "`LEVEL`: trace, debug, info, warn or error")
		}},
		{section: sectionLog, name: "log-json", add: func(f *pflag.FlagSet, _ *server.Config, l *Log) {
			f.BoolVar(&l.JSON, "log-json", l.JSON, "log lines as JSON objects")
		}},
	}
}

// Bind adds flags for the keys of these names, or for all if none is named. The values
// that c and l have are the defaults.
func Bind(f *pflag.FlagSet, c *server.Config, l *Log, names ...string) {
	f.SortFlags = false
	for _, k := range keys() {
		if len(names) == 0 || slices.Contains(names, k.name) {
			k.add(f, c, l)
		}
	}
}
