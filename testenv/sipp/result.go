package sipp

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Side is a side of a call.
type Side string

// The sides, as seen from SIPp.
const (
	Nobody Side = ""
	Here   Side = "here"  // SIPp
	There  Side = "there" // what it talks with
)

// Dialog is one call as SIPp's trace has it.
type Dialog struct {
	ID string // its Call-ID

	// Statuses are the final statuses of the first INVITE and of its repetitions
	// with credentials: 401, 200.
	Statuses []int
	// Provisional are the provisional statuses of those, in order.
	Provisional []int
	// Reinvites counts those received, and answered, in the call.
	Reinvites int
	// EndedBy is who sent the first BYE.
	EndedBy Side

	Begun    time.Time // the INVITE
	Answered time.Time // its 200, or zero
	Ended    time.Time // the first BYE, or zero
}

// Status is the last of the statuses, or 0 if there was none.
func (d Dialog) Status() int {
	if len(d.Statuses) == 0 {
		return 0
	}
	return d.Statuses[len(d.Statuses)-1]
}

// Result is what happened.
type Result struct {
	// Created, Successful and Failed count calls. A call is successful if it went
	// as its script says.
	Created, Successful, Failed int
	// Reasons says by SIPp's names, such as FailedUnexpectedMessage, why calls
	// failed. One call may have several.
	Reasons map[string]int
	// Dialogs are the calls in the order of their beginning.
	Dialogs []Dialog
	// Messages is the path of the log with every message in full; there is none
	// of a load of more than 100 calls.
	Messages string
	// Errors is what SIPp says was not as it should be, for people to read.
	Errors string
}

// Only returns the dialog of a single call; an empty one if there was none.
func (r Result) Only() Dialog {
	if len(r.Dialogs) == 0 {
		return Dialog{}
	}
	return r.Dialogs[0]
}

// Statuses counts the dialogs by their last status; 0 is those without one.
func (r Result) Statuses() map[int]int {
	counts := make(map[int]int)
	for _, d := range r.Dialogs {
		counts[d.Status()]++
	}
	return counts
}

// EndedBy counts the dialogs that a side has hung up.
func (r Result) EndedBy(side Side) int {
	n := 0
	for _, d := range r.Dialogs {
		if d.EndedBy == side {
			n++
		}
	}
	return n
}

// Result reads what happened until now. The counts are a second old while SIPp
// runs.
func (r *Running) Result() Result {
	result := Result{Messages: r.path(messagesFile), Errors: r.read(errorsFile), Dialogs: dialogs(r.read(traceFile))}
	result.addStatistics(r.read(statsFile))
	return result
}

// addStatistics reads the last line of SIPp's statistics, of which the columns
// with (C) are cumulative.
func (r *Result) addStatistics(csv string) {
	r.Reasons = make(map[string]int)
	lines := strings.Split(strings.TrimSpace(csv), "\n")
	if len(lines) < 2 {
		return
	}
	names, values := strings.Split(lines[0], ";"), strings.Split(lines[len(lines)-1], ";")
	for i, name := range names {
		if i >= len(values) {
			break
		}
		count, err := strconv.Atoi(values[i])
		if err != nil {
			continue // a time or a rate
		}
		switch total, cumulative := strings.CutSuffix(name, "(C)"); {
		case name == "TotalCallCreated":
			r.Created = count
		case name == "SuccessfulCall(C)":
			r.Successful = count
		case name == "FailedCall(C)":
			r.Failed = count
		case cumulative && count > 0 && strings.HasPrefix(total, "Failed"):
			r.Reasons[total] = count
		}
	}
}

// dialogs reads SIPp's trace of short messages.
func dialogs(trace string) []Dialog {
	found := make(map[string]*tracked)
	for line := range strings.Lines(trace) {
		m, ok := parseTraced(line)
		if !ok || m.method == hangUpRequest {
			continue
		}
		d := found[m.callID]
		if d == nil {
			d = &tracked{Dialog: Dialog{ID: m.callID, Begun: m.at}}
			found[m.callID] = d
		}
		d.apply(m)
	}
	all := make([]Dialog, 0, len(found))
	for _, d := range found {
		all = append(all, d.Dialog)
	}
	slices.SortFunc(all, func(a, b Dialog) int { return a.Begun.Compare(b.Begun) })
	return all
}

// traced is a line of the trace.
type traced struct {
	at       time.Time
	received bool
	callID   string
	method   string // of the request, or of what a response answers
	number   string // its CSeq
	status   int    // of a response
}

// parseTraced reads a line: date, time, seconds, S or R, Call-ID, CSeq, first line
// of the message, with tabs between.
func parseTraced(line string) (traced, bool) {
	fields := strings.Split(strings.TrimSpace(line), "\t")
	if len(fields) < 7 {
		return traced{}, false
	}
	seconds, err := strconv.ParseFloat(fields[2], 64)
	if err != nil {
		return traced{}, false
	}
	cseq := strings.Fields(strings.TrimPrefix(fields[5], "CSeq:"))
	if len(cseq) != 2 {
		return traced{}, false
	}
	m := traced{at: time.UnixMicro(int64(seconds * 1e6)), received: fields[3] == "R",
		callID: fields[4], number: cseq[0], method: cseq[1]}
	if rest, isResponse := strings.CutPrefix(fields[6], "SIP/2.0 "); isResponse {
		status, _, _ := strings.Cut(rest, " ")
		m.status, err = strconv.Atoi(status)
	}
	return m, err == nil
}

// tracked is a dialog with what the reading of its trace has to remember.
type tracked struct {
	Dialog
	caller bool            // SIPp sent the INVITE
	seen   map[string]bool // requests received and finals, so that repetitions do not count
}

func (d *tracked) apply(m traced) {
	if d.seen == nil {
		d.seen = make(map[string]bool)
		d.caller = !m.received
	}
	// Responses to the INVITEs of the caller: received by it, sent by the other.
	establishing := m.method == "INVITE" && m.received == d.caller && d.Answered.IsZero()
	key := m.method + m.number + strconv.Itoa(m.status)
	repeated := d.seen[key]
	if m.received || m.status != 0 {
		d.seen[key] = true
	}
	switch {
	case repeated:
	case m.status == 0 && m.method == "INVITE" && m.received && !d.Answered.IsZero():
		d.Reinvites++
	case m.status == 0 && m.method == "BYE" && d.EndedBy == Nobody:
		d.EndedBy, d.Ended = Here, m.at
		if m.received {
			d.EndedBy = There
		}
	case m.status >= 100 && m.status < 200 && establishing:
		d.Provisional = append(d.Provisional, m.status)
	case m.status >= 200 && establishing:
		d.Statuses = append(d.Statuses, m.status)
		if m.status < 300 {
			d.Answered = m.at
		}
	}
}

// Log returns the log of all messages in full, for a test that looks for one.
func (r Result) Log() string {
	content, err := os.ReadFile(r.Messages)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// String sums the result up for a test's message.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls, %d as expected, %d not", r.Created, r.Successful, r.Failed)
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		fmt.Fprintf(&b, "; %s %d", reason, r.Reasons[reason])
	}
	for _, d := range r.Dialogs[:min(5, len(r.Dialogs))] {
		fmt.Fprintf(&b, "\n%s: statuses %v, ended by %q", d.ID, d.Statuses, d.EndedBy)
	}
	return b.String() + "\n" + r.Errors
}
