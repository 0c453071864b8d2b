package dtmf

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrContentType: the INFO carries something else. SIP's answer is 415.
	ErrContentType = errors.New("not a DTMF body")
	// ErrInfo: a DTMF body that cannot be understood. SIP's answer is 400.
	ErrInfo = errors.New("malformed DTMF body")
)

const (
	maxInfo         = 1024 // octets of the largest body that is read; real ones have some 30
	defaultDuration = 250 * time.Millisecond
	maxInfoDuration = 60 * time.Second
)

// ParseInfo reads the body of a SIP INFO that carries one key:
//
//	application/dtmf-relay   Signal=5 and Duration=160, a line each, in ms
//	application/dtmf         5
//
// There is no standard for these; what telephones are known to vary is taken:
// either form under either type, letters of either case, spaces about "=", any
// line ends, further lines, the event codes 10 to 15 in place of * # A B C D, and
// no or a zero duration, which gives 250 ms. The error wraps ErrContentType or
// ErrInfo.
func ParseInfo(contentType string, body []byte) (Digit, time.Duration, error) {
	media, _, err := mime.ParseMediaType(contentType)
	// A broken parameter does not matter: none has a meaning here.
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return 0, 0, fmt.Errorf("%w: content type %q", ErrContentType, contentType)
	}
	if media != "application/dtmf-relay" && media != "application/dtmf" {
		return 0, 0, fmt.Errorf("%w: content type %q, want application/dtmf-relay or application/dtmf", ErrContentType, media)
	}
	if len(body) > maxInfo {
		return 0, 0, fmt.Errorf("%w: %d octets, at most %d are read", ErrInfo, len(body), maxInfo)
	}
	if !bytes.ContainsRune(body, '=') {
		d, err := parseSignal(string(body))
		if err != nil {
			return 0, 0, err
		}
		return d, defaultDuration, nil
	}
	return parseLines(string(body))
}

// parseLines reads "name=value" lines. A name that is given twice is refused: one
// would have to guess which is meant.
func parseLines(body string) (d Digit, duration time.Duration, err error) {
	timed := false
	for line := range strings.FieldsFuncSeq(body, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		switch {
		case !found && name != "":
			return 0, 0, fmt.Errorf("%w: line %q has no =", ErrInfo, line)
		case strings.EqualFold(name, "Signal"):
			if d != 0 {
				return 0, 0, fmt.Errorf("%w: two signals", ErrInfo)
			}
			if d, err = parseSignal(value); err != nil {
				return 0, 0, err
			}
		case strings.EqualFold(name, "Duration"):
			if timed {
				return 0, 0, fmt.Errorf("%w: two durations", ErrInfo)
			}
			timed = true
			if duration, err = parseDuration(value); err != nil {
				return 0, 0, err
			}
		}
	}
	if d == 0 {
		return 0, 0, fmt.Errorf("%w: no Signal line", ErrInfo)
	}
	if duration == 0 {
		duration = defaultDuration
	}
	return d, duration, nil
}

func parseSignal(text string) (Digit, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if len(text) == 1 && Digit(text[0]).Valid() {
		return Digit(text[0]), nil
	}
	// Two digits are an event code, as in RFC 4733.
	if code, err := strconv.ParseUint(text, 10, 8); err == nil && len(text) == 2 && code >= 10 && int(code) < len(keys) {
		return Digit(keys[code]), nil
	}
	return 0, fmt.Errorf("%w: signal %q is not a key, want one of %s", ErrInfo, text, keys)
}

func parseDuration(text string) (time.Duration, error) {
	ms, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if d := time.Duration(ms) * time.Millisecond; err == nil && d <= maxInfoDuration {
		return d, nil
	}
	return 0, fmt.Errorf("%w: duration %q is not a number of ms up to %d", ErrInfo, text, maxInfoDuration.Milliseconds())
}
