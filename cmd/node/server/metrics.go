package server

import (
	"context"
	"math"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/api/console"
	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/peers"
	"github.com/conclave-voice/conclave/cmd/node/clustering"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/replica"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// apiStore is the store, but whoever asks is known while it is away too, so that commands
// to conferences go on.
type apiStore struct {
	*sqlstore.Store
	copied *replica.Reader
}

func (s apiStore) TokenByHash(ctx context.Context, hash string) (store.APIToken, error) {
	return s.copied.TokenByHash(ctx, hash)
}

// routes are the API, the web console, health and metrics.
func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", api.New(api.Config{
		Store: apiStore{n.store, n.reader}, Ledger: billing.NewLedger(n.store, n.clock), Focus: n.focus(), Media: n.qualities(), Cluster: n.others(), Journal: n.journal, Files: n.files(), Codecs: api.Codecs(n.codecs), Place: n.run.Place,
		Realm: n.config.Realm, Open: n.config.OpenHTTP, Clock: n.clock, Logger: n.logger.Named("api"),
	}))
	mux.Handle("GET "+console.Prefix, console.Handler())
	mux.Handle("GET /{$}", http.RedirectHandler(console.Prefix, http.StatusSeeOther))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", n.serveReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics(), promhttp.HandlerOpts{}))
	return mux
}

// focus gives commands to conferences: of this node, or of all nodes of its cluster.
func (n *Node) focus() api.Focus {
	here := api.NewLocalFocus(n.host)
	if n.cluster == nil {
		return here
	}
	return peers.NewEverywhere(n.run.Place, here, n.cluster.Foci(), func(ctx context.Context, id store.ConferenceID) (store.Place, error) {
		c, err := n.store.Conference(ctx, store.Scope{}, id)
		return c.Focus, err
	})
}

// qualities tell how the media of callers is: of this node, or of all nodes of its cluster.
func (n *Node) qualities() api.Media {
	var others *peers.Client
	if n.cluster != nil {
		others = n.cluster.Foci()
	}
	return peers.NewQualities(n.run.Place, n.calls, others)
}

// others are what the API tells of the cluster.
func (n *Node) others() api.Cluster {
	if n.cluster != nil {
		return n.cluster
	}
	return api.NewAlone(func() v1.Node {
		return v1.Node{Site: n.run.Site, Node: n.run.Node, Since: n.run.StartedAt, Version: version(), SIP: n.sip.Addrs()[0].Addr.String(), HTTP: n.web.Addr().String(),
			Participants: n.host.Load().Seats, Capacity: n.config.MaxParticipants}
	}, n.status, func(draining bool) { n.drain(clustering.Drain{On: draining}) })
}

// metrics reads the parts when it is scraped. Nothing is labelled by call or
// account.
func (n *Node) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "conclave_" + name, Help: help}, value))
	}
	counter := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "conclave_" + name, Help: help}, value))
	}
	gauge("calls", "Calls in any phase.", func() float64 { return float64(n.calls.Calls()) })
	gauge("conferences", "Conferences that this node hosts.", func() float64 { return float64(n.host.Load().Conferences) })
	gauge("participants", "Seats taken in conferences of this node.", func() float64 { return float64(n.host.Load().Seats) })
	gauge("draining", "1 while the node, or its site, is out of use.", func() float64 { return flag(n.draining.Load().On) })
	gauge("rtp_port_pairs_in_use", "RTP port pairs in use.", func() float64 { return float64(n.ports.InUse()) })
	gauge("dialogs", "SIP dialogs.", func() float64 { return float64(n.sip.Stats().Dialogs) })
	gauge("unsettled", "Stays whose settlement waits in memory, for the journal cannot keep it.", func() float64 { return float64(n.billing.Unsettled()) })
	gauge("forwarded_calls_direct", "Callers in conferences at other nodes whose RTP goes there itself.", func() float64 { past, _ := n.calls.Forwarded(); return float64(past) })
	gauge("forwarded_calls_relayed", "Callers in conferences at other nodes whose RTP goes through this node.", func() float64 { _, through := n.calls.Forwarded(); return float64(through) })
	counter("forwarded_media_returned_total", "How often RTP had to go through this node again, for none arrived at the other.", func() float64 { return float64(n.calls.Returned()) })
	counter("rtp_relayed_packets_total", "RTP packets passed on between callers and other nodes.", func() float64 { return float64(n.calls.Relayed()) })
	gauge("overloaded", "1 while new callers are refused because audio would suffer.", func() float64 { return flag(n.strained.Load()) })
	gauge("media_mixers", "Mixers that are ticked.", func() float64 { return float64(n.media.Load().Tickers) })
	counter("media_ticks_total", "Ticks of the media engine.", func() float64 { return float64(n.media.Load().Ticks) })
	counter("media_ticks_late_total", "Ticks that began more than 5 ms late.", func() float64 { return float64(n.media.Load().Late) })
	counter("media_ticks_skipped_total", "Ticks left out after a stall.", func() float64 { return float64(n.media.Load().Skipped) })
	counter("media_busy_seconds_total", "Time spent in ticks, over all workers.", func() float64 { return n.media.Load().Busy.Seconds() })
	gauge("sip_transactions", "Server transactions.", func() float64 { return float64(n.sip.Stats().ServerTransactions) })
	gauge("sip_connections", "TCP connections.", func() float64 { return float64(n.sip.Stats().Connections) })
	r.MustRegister(sipRequests{n.sip.Stats}, stayGrades{n.calls.Grades})
	n.dataMetrics(gauge, counter)
	n.recordingMetrics(gauge, counter)
	if n.cluster != nil {
		n.clusterMetrics(gauge, counter)
	}
	return r
}

// metric registers a figure that is read when it is scraped.
type metric func(name, help string, value func() float64)

// dataMetrics are about the store, its copy, and what waits for it.
func (n *Node) dataMetrics(gauge, counter metric) {
	gauge("store_away", "1 while calls go on without the store.", func() float64 { return flag(n.breaker.Open()) })
	counter("store_away_total", "How often the store was found away.", func() float64 { return float64(n.breaker.Trips()) })
	gauge("copy_age_seconds", "Age of the copy that calls are decided by while the store is away; +Inf: there is none.", func() float64 {
		age, ok := n.replica.Age()
		if !ok {
			return math.Inf(1)
		}
		return age.Seconds()
	})
	counter("copy_answers_total", "Questions that the copy has answered for the store.", func() float64 { return float64(n.reader.Copied()) })
	counter("copy_failures_total", "Refreshes of the copy that failed.", func() float64 { return float64(n.replica.Stats().Failed) })
	counter("offline_stays_total", "Stays that have lived by offline credit.", func() float64 { return float64(n.billing.Stats().Offline) })
	gauge("offline_credit_stays", "Stays whose offline credit the copy does not know of yet.", func() float64 { return float64(n.credit.Stays()) })
	gauge("journal_records", "Records that wait for the store.", func() float64 { return float64(n.journal.Stats().Waiting) })
	gauge("journal_bytes", "Size of the journal on the disk.", func() float64 { return float64(n.journal.Stats().Bytes) })
	gauge("journal_max_bytes", "Size that the journal may have.", func() float64 { return float64(n.journal.Stats().Max) })
	gauge("journal_full", "1 while calls are refused because their records could not be kept.", func() float64 { return flag(n.full.Load() != nil) })
	gauge("journal_oldest_seconds", "How long the oldest record has waited for the store.", func() float64 {
		oldest := n.journal.Stats().Oldest
		if oldest.IsZero() {
			return 0
		}
		return n.clock.Since(oldest).Seconds()
	})
	counter("journal_delivered_total", "Records that the store has taken.", func() float64 { return float64(n.journal.Stats().Delivered) })
	counter("journal_failures_total", "Attempts to deliver a record that are repeated.", func() float64 { return float64(n.journal.Stats().Failed) })
	gauge("journal_dead_letters", "Records that the store refused for good; they are in dead-letters.jsonl.", func() float64 { return float64(n.journal.Stats().DeadLetters) })
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
