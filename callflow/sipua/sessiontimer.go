package signaling

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// never is longer than any call.
const never = 10 * 365 * 24 * time.Hour

// sessionTimer is what RFC 4028 has been agreed for a dialog. It is owned by the
// dialog's loop.
type sessionTimer struct {
	expires   time.Duration // 0: none
	ours      bool          // we refresh
	supported bool          // the peer knows session timers
}

// next is how long to wait: until our refresh, or until the peer's is overdue.
func (s sessionTimer) next() time.Duration {
	switch {
	case s.expires == 0:
		return never
	case s.ours:
		return s.expires / 2
	default:
		return s.expires - min(32*time.Second, s.expires/3) // section 10
	}
}

// tooBrief refuses an interval below what we take (section 9).
func (e *Endpoint) tooBrief(req *sip.Request) *refusal {
	expires, _ := sessionExpires(req)
	if expires == 0 || expires >= e.config.MinSE || !supports(req) {
		return nil
	}
	return &refusal{status: 422, reason: "Session Interval Too Small", headers: []sip.Header{sip.NewHeader("Min-SE", seconds(e.config.MinSE))}}
}

// agree settles the timer for a request that we accept. A peer that does not know
// session timers is refreshed by us, so that a call whose peer vanished ends.
func (s *sessionTimer) agree(req *sip.Request, c Config) {
	s.supported = supports(req)
	expires, refresher := sessionExpires(req)
	if expires == 0 {
		expires = c.SessionExpires
	}
	s.expires = min(expires, c.SessionExpires)
	if s.expires < c.MinSE {
		s.expires = c.MinSE
	}
	if m := req.GetHeader("Min-SE"); m != nil {
		if n, err := strconv.Atoi(strings.TrimSpace(m.Value())); err == nil && n > 0 && n < 86400*7 {
			s.expires = max(s.expires, time.Duration(n)*time.Second)
		}
	}
	s.ours = !s.supported || refresher == "uas"
}

// write tells the peer, in a response.
func (s *sessionTimer) write(res *sip.Response) {
	if s.expires == 0 || !s.supported {
		return
	}
	refresher := "uac"
	if s.ours {
		refresher = "uas"
	} else {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", seconds(s.expires)+";refresher="+refresher))
}

// writeRequest tells the peer, in a request of ours.
func (s *sessionTimer) writeRequest(req *sip.Request) {
	req.AppendHeader(sip.NewHeader("Supported", "timer"))
	if s.supported {
		req.AppendHeader(sip.NewHeader("Session-Expires", seconds(s.expires)+";refresher=uac"))
	}
}

// supports says whether the peer knows session timers.
func supports(req *sip.Request) bool {
	for _, name := range []string{"Supported", "k", "Require"} {
		for _, h := range req.GetHeaders(name) {
			for option := range strings.SplitSeq(h.Value(), ",") {
				if strings.EqualFold(strings.TrimSpace(option), "timer") {
					return true
				}
			}
		}
	}
	return false
}

// sessionExpires reads Session-Expires, also in its compact form.
func sessionExpires(req *sip.Request) (time.Duration, string) {
	h := req.GetHeader("Session-Expires")
	if h == nil {
		h = req.GetHeader("x")
	}
	if h == nil {
		return 0, ""
	}
	value, params, _ := strings.Cut(h.Value(), ";")
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n <= 0 || n > 86400*7 {
		return 0, ""
	}
	refresher := ""
	for p := range strings.SplitSeq(params, ";") {
		if k, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(k), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return time.Duration(n) * time.Second, refresher
}
