package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Figures are what the node says of itself, and the system of it.
type Figures struct {
	Participants int
	LateTicks    uint64
	SkippedTicks uint64
	CPU          time.Duration // since its start
	BusyInMixing time.Duration
	Memory       int64 // resident, in octets
	Heap         int64 // in use, in octets, with what the collector has not found yet
	Goroutines   int
	Descriptors  int
	Ports        int // pairs for RTP and RTCP
	Recordings   int
}

// Figures reads them now.
func (t *Target) Figures(ctx context.Context) (f Figures, err error) {
	body, err := t.request(ctx, http.MethodGet, t.api+"/metrics", nil)
	if err != nil {
		return f, fmt.Errorf("read the node's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return f, fmt.Errorf("read the node's metrics: %w", err)
	}
	var missing []string
	value := func(name string) float64 {
		if len(families[name].GetMetric()) == 0 {
			missing = append(missing, name)
		}
		return sum(families[name])
	}
	seconds := func(name string) time.Duration { return time.Duration(value(name) * float64(time.Second)) }
	f = Figures{
		Participants: int(value("conclave_participants")),
		LateTicks:    uint64(value("conclave_media_ticks_late_total")),
		SkippedTicks: uint64(value("conclave_media_ticks_skipped_total")),
		CPU:          seconds("process_cpu_seconds_total"),
		BusyInMixing: seconds("conclave_media_busy_seconds_total"),
		Memory:       int64(value("process_resident_memory_bytes")),
		Heap:         int64(value("go_memstats_heap_inuse_bytes")),
		Goroutines:   int(value("go_goroutines")),
		Descriptors:  int(value("process_open_fds")),
		Ports:        int(value("conclave_rtp_port_pairs_in_use")),
		Recordings:   int(value("conclave_recordings")),
	}
	if len(missing) > 0 {
		return f, fmt.Errorf("read the node's metrics: there is no %v", missing)
	}
	return f, nil
}

// sum is that of all series of a counter or gauge.
func sum(family *dto.MetricFamily) (total float64) {
	for _, m := range family.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	}
	return total
}
