package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/conclave-voice/conclave/callflow/signaling"
)

// sipRequests collects what the SIP endpoint counts by method, status and reason.
type sipRequests struct{ stats func() signaling.Stats }

var (
	answeredDesc = prometheus.NewDesc("conclave_sip_requests_total", "SIP requests that were answered.", []string{"method", "status"}, nil)
	sentDesc     = prometheus.NewDesc("conclave_sip_sent_total", "SIP requests that were sent, by the answer they got.", []string{"method", "status"}, nil)
	droppedDesc  = prometheus.NewDesc("conclave_sip_dropped_total", "What was dropped before or beside a request.", []string{"reason"}, nil)
)

func (sipRequests) Describe(ch chan<- *prometheus.Desc) {
	ch <- answeredDesc
	ch <- sentDesc
	ch <- droppedDesc
}

func (c sipRequests) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	for what, counts := range map[*prometheus.Desc]map[signaling.Outcome]uint64{answeredDesc: s.Requests, sentDesc: s.Sent} {
		for o, n := range counts {
			ch <- prometheus.MustNewConstMetric(what, prometheus.CounterValue, float64(n), o.Method, strconv.Itoa(o.Status))
		}
	}
	for reason, n := range s.Dropped {
		ch <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(n), reason)
	}
}
