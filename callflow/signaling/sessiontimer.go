package signaling

import (
	"strconv"
	"strings"
	"time"
)

const (
	// minimumMinSE is the least that RFC 4028 section 4 lets anyone ask for.
	minimumMinSE = 90 * time.Second
	// defaultMinSE is what a missing Min-SE means.
	defaultMinSE = minimumMinSE
	// maxSessionExpires bounds what a peer can say, in seconds.
	maxSessionExpires = 7 * 24 * 3600
)

// sessionTimer is the state of RFC 4028 in one dialog. The zero value is off.
type sessionTimer struct {
	interval time.Duration
	weDo     bool      // we are the refresher
	started  time.Time // of the last refresh
	asked    bool      // our refresh of this interval has been sent
}

// refreshAt is when we send a refresh: at half time (RFC 4028 section 7.2). Zero:
// never.
func (t *sessionTimer) refreshAt() time.Time {
	if t.interval == 0 || !t.weDo || t.asked {
		return time.Time{}
	}
	return t.started.Add(t.interval / 2)
}

// expiresAt is when a BYE is due: a little early (RFC 4028 section 10).
func (t *sessionTimer) expiresAt() time.Time {
	if t.interval == 0 {
		return time.Time{}
	}
	return t.started.Add(t.interval - min(32*time.Second, t.interval/3))
}

// sessionExpires reads Session-Expires as it stands there. Zero: there is none, or
// it cannot be read.
func sessionExpires(m *message) (interval time.Duration, refresher string) {
	number, rest, _ := strings.Cut(m.get("session-expires"), ";")
	params, _ := parseParams(rest)
	for _, p := range params {
		if p.name == "refresher" {
			refresher = strings.ToLower(p.value)
		}
	}
	return seconds(number), refresher
}

func minSE(m *message) time.Duration {
	number, _, _ := strings.Cut(m.get("min-se"), ";")
	return max(seconds(number), defaultMinSE)
}

func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, maxSessionExpires)) * time.Second
}

func secondsHeader(name string, d time.Duration, refresher string) Header {
	v := strconv.Itoa(int(d / time.Second))
	if refresher != "" {
		v += ";refresher=" + refresher
	}
	return Header{name, v}
}

// checkSessionInterval refuses an interval that is too short, if the peer can
// understand that (RFC 4028 section 9).
func checkSessionInterval(m *message, least time.Duration) *refusal {
	interval, _ := sessionExpires(m)
	if interval == 0 || interval >= least || !m.hasToken("supported", "timer") {
		return nil
	}
	return &refusal{status: 422, extra: []Header{secondsHeader("Min-SE", least, "")}}
}

// answerSessionTimer decides for a request, as its server (RFC 4028 section 9,
// table 2). The peer refreshes where it can: it is the one behind a NAT.
func answerSessionTimer(m *message, c Config, now time.Time) (sessionTimer, []Header) {
	interval, refresher := sessionExpires(m)
	peerCan := m.hasToken("supported", "timer") || m.hasToken("require", "timer")
	if interval > 0 {
		interval = max(interval, minimumMinSE) // less is not allowed, and would keep us busy
	}
	switch {
	case interval == 0 && c.SessionExpires == 0:
		return sessionTimer{}, nil
	case interval == 0:
		interval = max(c.SessionExpires, minSE(m))
	case c.SessionExpires > 0:
		interval = min(interval, max(c.SessionExpires, minSE(m)))
	}
	if !peerCan {
		refresher = "uas"
	} else if refresher != "uas" {
		refresher = "uac"
	}
	t := sessionTimer{interval: interval, weDo: refresher == "uas", started: now}
	headers := []Header{secondsHeader("Session-Expires", interval, refresher)}
	if refresher == "uac" {
		headers = append(headers, Header{"Require", "timer"}) // RFC 4028 section 9
	}
	return t, headers
}

// askSessionTimer are the header fields of a request of ours. current is that of
// the dialog; the zero value for the first INVITE.
func askSessionTimer(c Config, current sessionTimer, least time.Duration) []Header {
	headers := []Header{}
	switch {
	case current.interval > 0 && current.weDo:
		headers = append(headers, secondsHeader("Session-Expires", max(current.interval, least), "uac"))
	case current.interval > 0:
		headers = append(headers, secondsHeader("Session-Expires", max(current.interval, least), "uas"))
	case c.SessionExpires > 0:
		headers = append(headers, secondsHeader("Session-Expires", max(c.SessionExpires, least), ""))
	default:
		return nil
	}
	if least = max(least, c.MinSE); least > defaultMinSE {
		headers = append(headers, secondsHeader("Min-SE", least, ""))
	}
	return headers
}

// renewed is the timer after the 2xx to a further request of ours. A peer that knows
// nothing of session timers leaves them out of it; where we refresh for that reason we
// go on, which nothing forbids (RFC 4028 section 7.2), for it shows that the peer lives.
func (t sessionTimer) renewed(m *message, now time.Time) sessionTimer {
	if interval, _ := sessionExpires(m); interval == 0 && t.weDo {
		return sessionTimer{interval: t.interval, weDo: true, started: now}
	}
	return takeSessionTimer(m, now)
}

// takeSessionTimer reads the 2xx to a request of ours. Without Session-Expires
// there is no session timer (RFC 4028 section 7.2).
func takeSessionTimer(m *message, now time.Time) sessionTimer {
	interval, refresher := sessionExpires(m)
	if interval > 0 {
		interval = max(interval, minimumMinSE)
	}
	return sessionTimer{interval: interval, weDo: refresher != "uas", started: now}
}
