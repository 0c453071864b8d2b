package signaling

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Header is a header field to send. Line breaks in it are replaced by spaces.
type Header struct{ Name, Value string }

// StatusError is a final response that is not a success. Handlers may return one
// to choose the status of a refusal.
type StatusError struct {
	Status   int
	Reason   string
	Contacts []string // of a 3xx: the Contact values as they came
	Warning  string
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%d %s", e.Status, e.Reason)
	if e.Warning != "" {
		s += " (" + e.Warning + ")"
	}
	return s
}

// refusal is a request that was answered before anything else saw it.
type refusal struct {
	status int
	reason string
	extra  []Header
}

func badRequest(reason string) *refusal { return &refusal{status: 400, reason: reason} }

// retryAfter is a header field in whole seconds, at least one.
func retryAfter(d time.Duration) Header {
	return Header{"Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))}
}

// reasonPhrases are those of RFC 3261 section 21 and of later RFCs where HTTP has
// none, or another, for the code.
var reasonPhrases = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress", 302: "Moved Temporarily",
	408: "Request Timeout", 414: "Request-URI Too Long", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 505: "Version Not Supported",
	513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
	606: "Not Acceptable",
}

func reasonPhrase(status int) string {
	if r, ok := reasonPhrases[status]; ok {
		return r
	}
	if r := http.StatusText(status); r != "" {
		return r
	}
	return "Unknown"
}

// clean makes text fit for a header field's value: nothing that a caller passes
// can begin a line of its own.
func clean(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}
