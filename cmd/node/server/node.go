package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/callflow/dialogue"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/cmd/node/clustering"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/breaker"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/replica"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// Node is everything that runs. Make one with New; call Run.
type Node struct {
	config Config
	clock  clockwork.Clock
	logger hclog.Logger
	run    store.NodeRun

	lock     *os.File
	store    *sqlstore.Store
	breaker  *breaker.Breaker
	replica  *replica.Replica
	reader   *replica.Reader
	credit   *billing.Credit
	journal  *journal.Journal
	recovery *billing.Recovery
	codecs   *codec.Registry
	media    *engine.Engine
	ports    *session.Ports
	billing  *billing.Service
	heart    *billing.Heart
	recorder *recording.Recorder
	archive  *recording.Archive
	host     *conference.Host
	calls    *callflow.Engine
	cluster  *clustering.Cluster // nil: none
	sip      *signaling.Endpoint
	carriers []netip.Prefix // trusted when the ports were bound
	own      ownAddresses
	web      net.Listener
	profiles net.Listener // nil: none
	ready    atomic.Bool
	joined   atomic.Bool // to the cluster, if there is one
	draining atomic.Pointer[clustering.Drain]
	strained atomic.Bool           // callers are refused, for audio would suffer
	full     atomic.Pointer[error] // why calls are refused: the journal could not keep their records
}

// New opens the store, or the local copy if the store is away, and binds every port. The
// errors name what to change. Whoever gets a Node must Run it.
func New(ctx context.Context, c Config, clock clockwork.Clock, logger hclog.Logger) (*Node, error) {
	s, err := c.check()
	if err != nil {
		return nil, err
	}
	if c, err = c.named(); err != nil {
		return nil, err
	}
	n := &Node{config: c, clock: clock, logger: logger}
	n.draining.Store(&clustering.Drain{})
	if err := n.own.look(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, settings) error{n.openData, n.openStore, n.openJournal, n.begin, n.makeParts, n.bind} {
		if err := step(ctx, s); err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// makeParts wires everything that needs no port.
func (n *Node) makeParts(_ context.Context, s settings) error {
	prompts, err := loadPrompts(n.config.Prompts)
	if err != nil {
		return err
	}
	if n.ports, err = session.NewPorts(s.sip.Addr(), s.rtpFirst, s.rtpLast); err != nil {
		return fmt.Errorf("--rtp: %w", err)
	}
	challenger, err := screening.NewChallenger(screening.DefaultChallengerConfig(n.config.Realm), n.clock)
	if err != nil {
		return err
	}
	guard, err := screening.NewGuard(screening.DefaultGuardConfig(), n.clock)
	if err != nil {
		return err
	}
	n.openCodecs()
	n.media = engine.New(0, n.traffic()...)
	n.billing = billing.NewService(n.books(), billing.DefaultPolicy(), n.clock, n.logger.Named("billing"), billing.WithJournal(n.journal, n.credit))
	n.heart = billing.NewHeart(n.journal, n.run, n.config.Heartbeat, n.clock, n.logger.Named("billing"))
	locator, err := n.makeLocator(s)
	if err != nil {
		return err
	}
	if err := n.openRecordings(n.codecs); err != nil {
		return err
	}
	n.host = conference.NewHost(conference.Config{
		Place: n.run.Place, Incarnation: n.run.Incarnation, MaxParticipants: n.config.MaxParticipants, Engine: n.media,
		Store: n.journal, Prompts: prompts, Recorder: n.recorder, Busy: n.strained.Load, Clock: n.clock, Logger: n.logger.Named("conference"),
		Mixing: mixer.Config{MaxSpeakers: n.config.MaxSpeakers, AutoGain: n.config.AutoGain, Comfort: float64(n.config.ComfortNoise)},
		Closed: func(c store.Conference) { locator.Release(c.RoomID, c.Epoch) },
	})
	calls := callflow.Config{
		Place: n.run.Place, Incarnation: n.run.Incarnation, Catalogue: n.reader, Traces: n.journal, Billing: n.billing, Locator: locator,
		Host: n.host, Realm: n.config.Realm, Challenger: challenger, Guard: guard, Registry: n.codecs, Ports: n.ports, Media: n.media,
		Prompts: prompts, Dialogue: dialogue.DefaultConfig(), MediaAddr: s.sip.Addr(), Own: n.own.has, MaxCalls: n.config.MaxCalls, Busy: n.strained.Load,
		MediaTimeout: n.config.MediaTimeout, ForwardMedia: s.media, Clock: n.clock, Logger: n.logger.Named("call"),
	}
	if n.cluster != nil {
		calls.Foci, calls.Handovers = n.cluster.Foci(), n.cluster.Handovers()
		calls.Dial = func(ctx context.Context, r signaling.DialRequest, h signaling.DialogHandler) (*signaling.Dialog, []byte, error) {
			return n.sip.Dial(ctx, r, h)
		}
		calls.Custody = n.cluster.Custody()
		calls.Restore = func(ctx context.Context, st signaling.DialogState, h signaling.DialogHandler) (*signaling.Dialog, error) {
			return n.sip.Restore(ctx, st, h)
		}
	}
	n.calls = callflow.New(calls)
	if n.cluster != nil {
		n.cluster.Serve(n.calls, api.NewLocalFocus(n.host))
		n.cluster.ServeRecordings(n.archive)
	}
	return nil
}

// locator knows where conferences run, and is told when one has ended.
type locator interface {
	callflow.Locator
	Release(room store.RoomID, epoch uint64)
}

// makeLocator joins the cluster, if the node is to be in one.
func (n *Node) makeLocator(s settings) (locator, error) {
	if n.config.ClusterDir == "" {
		return sites.NewSingle(n.run.Place, n.run.Incarnation), nil
	}
	var err error
	config := n.config.clustering(s)
	config.Draining, config.Status = n.drain, n.status
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("--data %q: %w; name a directory that can be written", n.config.DataDir, err)
	}
	if n.cluster, err = clustering.Open(config, n.run, n.store, n.clock, n.logger); err != nil {
		return nil, err
	}
	return n.cluster.Locator(), nil
}

// loadPrompts reads the built-in prompts and those of a directory, if one is named.
func loadPrompts(dir string) (*prompt.Library, error) {
	if dir == "" {
		return prompt.Load()
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("--prompts %q: no such directory; make it, with a folder for each language in it, such as %s", dir, filepath.Join(dir, prompt.DefaultLanguage))
	}
	library, err := prompt.Load(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("--prompts %q: %w", dir, err)
	}
	return library, nil
}

// bind takes the ports.
func (n *Node) bind(ctx context.Context, s settings) error {
	var err error
	if n.carriers, err = n.trustedNetworks(ctx); err != nil {
		return err
	}
	n.sip, err = signaling.Listen(signaling.Config{Listen: []signaling.ListenAddr{{Network: "udp", Addr: s.sip.String()}, {Network: "tcp", Addr: s.sip.String()}},
		UserAgent: "Conclave", Limits: signaling.Limits{Trusted: append(n.peers(), n.carriers...)}, Logger: n.logger.Named("sip"), Clock: clockwork.NewRealClock()}, n.calls)
	if err != nil {
		return inUse("--sip", n.config.SIP, err)
	}
	if n.web, err = net.Listen("tcp", n.config.HTTP); err != nil {
		return inUse("--http", n.config.HTTP, err)
	}
	return n.bindProfiles()
}

// inUse says which flag to change.
func inUse(flag, value string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s %s: the port is in use; stop what uses it or choose another with %s HOST:PORT (%w)", flag, value, flag, err)
	}
	return fmt.Errorf("%s %s: %w", flag, value, err)
}

// Run serves until ctx is done, then lets go of all calls and stops.
func (n *Node) Run(ctx context.Context, out io.Writer) error {
	defer n.close()
	defer collectEarly()()
	n.ready.Store(true)
	n.joined.Store(n.cluster == nil)
	n.admit()
	if n.config.Seed {
		banner(out, n.config, n.sip.Addrs()[0].Addr.String(), n.web.Addr().String())
	}
	n.logger.Info("ready", "site", n.run.Site, "node", n.run.Node, "sip", n.sip.Addrs()[0].Addr.String(), "http", n.web.Addr().String())
	parts := []part{
		{name: "store", run: n.breaker.Run},
		{name: "schema", run: n.migrate},
		{name: "local copy", run: n.replica.Run},
		{name: "journal", run: n.journal.Run},
		{name: "recovery", run: n.recovery.Run},
		{name: "media", run: n.media.Run},
		{name: "billing", run: n.billing.Run},
		{name: "heartbeat", run: n.heart.Run},
		{name: "files of recordings", run: n.archive.Run},
		{name: "recordings", run: n.recorder.Run},
	}
	if n.profiles != nil {
		parts = append(parts, part{name: "profiles", run: n.serveProfiles})
	}
	if n.cluster != nil {
		parts = append(parts, part{name: "cluster", run: func(ctx context.Context) error {
			return n.cluster.Run(ctx, n.seats)
		}}, part{name: "joining", run: n.join}, part{name: "evacuation", run: n.evacuate})
	}
	parts = append(parts, part{name: "conferences", run: n.host.Run}, part{name: "HTTP", run: n.serveHTTP})
	if n.cluster != nil {
		parts = append(parts, part{name: "custody", run: func(ctx context.Context) error { return n.cluster.RunCustody(ctx, n.calls) }})
	}
	return runParts(ctx, append(parts,
		part{name: "SIP", run: n.sip.Run},
		part{name: "calls", run: n.calls.Run, before: n.stepAside},
		part{name: "watch", run: n.watch},
		part{name: "trust", run: n.followTrust},
	))
}

// close gives back what New took. It is safe on a Node that is half made.
func (n *Node) close() {
	if n.web != nil {
		n.web.Close()
	}
	if n.profiles != nil {
		n.profiles.Close()
	}
	if n.cluster != nil {
		if err := n.cluster.Close(); err != nil {
			n.logger.Warn("leaving the cluster", "error", err)
		}
	}
	n.closeData()
}

// stopHTTP is how long requests may take to end when the node stops.
const stopHTTP = 5 * time.Second

// serveHTTP serves the API until ctx is done.
func (n *Node) serveHTTP(ctx context.Context) error {
	srv := &http.Server{Handler: n.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.Background(), stopHTTP)
		defer cancel()
		stopped <- srv.Shutdown(within)
	})
	defer stop()
	if err := srv.Serve(n.web); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
