package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Live is what a node uses of its memory once its garbage is collected, in octets.
type Live struct {
	Heap   int64 // of objects
	Stacks int64 // of goroutines
}

// Live has the node's garbage collected and reads what is left.
func (t *Target) Live(ctx context.Context) (l Live, err error) {
	body, err := t.request(ctx, http.MethodGet, t.pprof+"heap?gc=1&debug=1", nil)
	if err != nil {
		return l, fmt.Errorf("read what the node uses of its memory: %w", err)
	}
	// The text ends with runtime.MemStats, as "# HeapAlloc = 123" and "# Stack = 4 / 5".
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, text, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "# "), " = ")
		text, _, _ = strings.Cut(text, " ")
		value, _ := strconv.ParseInt(text, 10, 64) // other lines have none
		switch name {
		case "HeapAlloc":
			l.Heap = value
		case "Stack":
			l.Stacks = value
		}
	}
	if err := lines.Err(); err != nil || l.Heap == 0 || l.Stacks == 0 {
		return l, fmt.Errorf("read what the node uses of its memory: %d of heap, %d of stacks (%v)", l.Heap, l.Stacks, err)
	}
	return l, nil
}
