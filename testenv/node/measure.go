package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Labels select the series of a metric: those that have all of these.
type Labels map[string]string

// Metric returns the value of a metric, summed over all series that have the
// labels (nil: all). Of a histogram or summary it is the count. That there is no
// such series is an error.
func (n *Node) Metric(ctx context.Context, name string, labels Labels) (float64, error) {
	body, err := n.get(ctx, "/metrics")
	if err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	sum, found := 0.0, false
	for _, metric := range families[name].GetMetric() {
		if labels.match(metric) {
			sum, found = sum+value(metric), true
		}
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s with %v", name, labels)
	}
	return sum, nil
}

// AwaitMetric waits until a metric is as wanted.
func (n *Node) AwaitMetric(ctx context.Context, name string, labels Labels, wanted func(float64) bool) error {
	return n.process.Poll(ctx, func() error {
		v, err := n.Metric(ctx, name, labels)
		if err == nil && !wanted(v) {
			err = fmt.Errorf("%s%v is %g", name, labels, v)
		}
		return err
	})
}

func (l Labels) match(metric *dto.Metric) bool {
	matched := 0
	for _, pair := range metric.GetLabel() {
		if want, asked := l[pair.GetName()]; asked {
			if want != pair.GetValue() {
				return false
			}
			matched++
		}
	}
	return matched == len(l)
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	case m.Summary != nil:
		return float64(m.Summary.GetSampleCount())
	default:
		return m.GetUntyped().GetValue()
	}
}

// Goroutines returns how many goroutines the node has.
func (n *Node) Goroutines(ctx context.Context) (int, error) {
	v, err := n.Metric(ctx, "go_goroutines", nil)
	return int(v), err
}

// FDs returns how many files and sockets the node has open.
func (n *Node) FDs() (int, error) {
	entries, err := os.ReadDir(n.proc("fd"))
	if err != nil {
		return 0, fmt.Errorf("counting the files of %s: %w", n.options.Name, err)
	}
	return len(entries), nil
}

// Memory returns the resident memory of the node in bytes.
func (n *Node) Memory() (int64, error) {
	content, err := os.ReadFile(n.proc("statm"))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of %s: %w", n.options.Name, err)
	}
	fields := strings.Fields(string(content)) // size, resident, ... in pages
	if len(fields) < 2 {
		return 0, fmt.Errorf("reading the memory of %s: %q", n.options.Name, content)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func (n *Node) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(n.PID()), file)
}

// get reads a page of the node. Each has a connection of its own, so that none is
// left open in the node to be counted.
func (n *Node) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.API()+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := n.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, response.Status, bytes.TrimSpace(body))
	}
	return body, err
}
