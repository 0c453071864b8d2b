package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/billing"
)

// routes are the API, health and metrics.
func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", api.New(api.Config{
		Store: n.store, Ledger: billing.NewLedger(n.store, n.clock), Focus: api.NewLocalFocus(n.host), Site: n.config.Site,
		Realm: n.config.Realm, Open: n.config.OpenHTTP, Clock: n.clock, Logger: n.logger.Named("api"),
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", n.serveReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics(), promhttp.HandlerOpts{}))
	return mux
}

// serveReady is 200 once callers can call, and says what is not well.
func (n *Node) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	state := map[string]string{"sip": "ok", "store": "ok"}
	status := http.StatusOK
	if !n.ready.Load() {
		state["sip"], status = "stopping", http.StatusServiceUnavailable
	}
	if err := n.store.Ping(ctx); err != nil {
		state["store"] = "does not answer" // degraded, but calls that run go on
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(state)
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
	gauge("rtp_port_pairs_in_use", "RTP port pairs in use.", func() float64 { return float64(n.ports.InUse()) })
	gauge("dialogs", "SIP dialogs.", func() float64 { return float64(n.sip.Stats().Dialogs) })
	gauge("unsettled", "Stays whose settlement waits for the store.", func() float64 { return float64(n.billing.Unsettled()) })
	gauge("media_mixers", "Mixers that are ticked.", func() float64 { return float64(n.media.Load().Tickers) })
	counter("media_ticks_total", "Ticks of the media engine.", func() float64 { return float64(n.media.Load().Ticks) })
	counter("media_ticks_late_total", "Ticks that began more than 5 ms late.", func() float64 { return float64(n.media.Load().Late) })
	counter("media_ticks_skipped_total", "Ticks left out after a stall.", func() float64 { return float64(n.media.Load().Skipped) })
	counter("media_busy_seconds_total", "Time spent in ticks, over all workers.", func() float64 { return n.media.Load().Busy.Seconds() })
	gauge("sip_transactions", "Server transactions.", func() float64 { return float64(n.sip.Stats().ServerTransactions) })
	gauge("sip_connections", "TCP connections.", func() float64 { return float64(n.sip.Stats().Connections) })
	r.MustRegister(sipRequests{n.sip.Stats})
	return r
}
