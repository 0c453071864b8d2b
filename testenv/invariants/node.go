package invariants

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Metrics are a node's figures without labels, by name.
type Metrics map[string]float64

// ReadMetrics reads the text that a node's /metrics serves (the Prometheus exposition
// format). What has labels is left out.
func ReadMetrics(text []byte) (Metrics, error) {
	m := Metrics{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), " ")
		if !found || strings.HasPrefix(name, "#") || strings.Contains(name, "{") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("read the metric %s: %w", name, err)
		}
		m[name] = number
	}
	return m, lines.Err()
}

// idle are the figures that are 0 at a node without calls whose store is there.
var idle = []struct{ name, says string }{
	{"conclave_calls", "calls"},
	{"conclave_dialogs", "SIP dialogs"},
	{"conclave_conferences", "conferences"},
	{"conclave_participants", "seats taken"},
	{"conclave_rtp_port_pairs_in_use", "pairs of RTP ports in use"},
	{"conclave_media_mixers", "mixers that are ticked"},
	{"conclave_journal_records", "records that wait for the store"},
	{"conclave_unsettled", "stays that are not settled"},
	{"conclave_journal_dead_letters", "records that the store has refused"},
}

// CheckIdle returns what a node still holds though all calls have ended. A figure that
// the node does not tell breaks the rule too.
func CheckIdle(m Metrics) (broken []string) {
	for _, i := range idle {
		if value, told := m[i.name]; !told || value != 0 {
			broken = append(broken, fmt.Sprintf("%s: %v", i.says, map[bool]any{true: value, false: "not told"}[told]))
		}
	}
	return broken
}
