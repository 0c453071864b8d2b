package signaling

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// maxMessage is the size of the largest message that is read, in bytes.
const maxMessage = 65535

// field is one header field, unfolded. The key is the long name in lower case.
type field struct{ key, value string }

// message is a SIP message split into its parts. Values are as they came, so that
// responses can repeat them byte by byte (RFC 3261 section 8.2.6.2).
type message struct {
	flow flow

	method, uri, version string // of a request
	status               int    // of a response
	reason               string
	fields               []field
	body                 []byte
}

// isRequest: a message without a method is a response.
func (m *message) isRequest() bool { return m.method != "" }

// compactNames are the short forms of header field names.
var compactNames = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from",
	"i": "call-id", "k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
	"s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}

func fieldKey(name string) string {
	key := strings.ToLower(name)
	if long, ok := compactNames[key]; ok {
		return long
	}
	return key
}

// all are the values of a header field, one for each line.
func (m *message) all(key string) []string {
	var values []string
	for _, f := range m.fields {
		if f.key == key {
			values = append(values, f.value)
		}
	}
	return values
}

// get is the first value of a header field, or "".
func (m *message) get(key string) string {
	for _, f := range m.fields {
		if f.key == key {
			return f.value
		}
	}
	return ""
}

func (m *message) has(key string) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool { return f.key == key })
}

// list are the values of a header field that is a comma-separated list.
func (m *message) list(key string) []string {
	var values []string
	for _, line := range m.all(key) {
		for _, v := range split(line, ',') {
			if v != "" {
				values = append(values, v)
			}
		}
	}
	return values
}

// hasToken says whether a list has the word, whatever its case.
func (m *message) hasToken(key, token string) bool {
	return slices.ContainsFunc(m.list(key), func(v string) bool { return strings.EqualFold(v, token) })
}

// scan splits a message. It is nil when the bytes are no SIP message at all. With
// a refusal, the message has the fields that could be read.
func scan(raw []byte) (*message, *refusal) {
	raw = bytes.TrimLeft(raw, "\r\n")
	head, body, complete := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !complete {
		head = bytes.TrimSuffix(raw, []byte("\r\n"))
	}
	lines := strings.Split(string(head), "\r\n")
	m, bad := scanStartLine(lines[0])
	if m == nil {
		return nil, nil
	}
	m.body = body
	if worse := m.scanFields(lines[1:]); bad == nil {
		bad = worse
	}
	if !complete && bad == nil {
		bad = badRequest("No Empty Line After The Header Fields")
	}
	return m, bad
}

func scanStartLine(line string) (*message, *refusal) {
	if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		code, reason, _ := strings.Cut(rest, " ")
		status, err := strconv.Atoi(code)
		if err != nil || len(code) != 3 || status < 100 || status > 699 {
			return nil, nil
		}
		return &message{status: status, reason: reason}, nil
	}
	words := strings.Fields(line)
	if len(words) < 3 || !strings.HasPrefix(strings.ToUpper(words[len(words)-1]), "SIP/") || !isToken(words[0]) {
		return nil, nil
	}
	m := &message{method: words[0], uri: words[1], version: words[len(words)-1]}
	// Exactly one space, and none inside the URI or at the end (RFC 3261 section 7.1).
	if parts := strings.Split(line, " "); len(parts) != 3 || len(words) != 3 {
		return m, badRequest("Malformed Request-Line")
	}
	return m, nil
}

func (m *message) scanFields(lines []string) *refusal {
	var bad *refusal
	for _, line := range lines {
		// A lone CR or LF would begin a line of its own where the value is repeated.
		if strings.ContainsAny(line, "\r\n") {
			bad = badRequest("Malformed Header Field")
			continue
		}
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			if n := len(m.fields); n > 0 {
				m.fields[n-1].value = strings.TrimSpace(m.fields[n-1].value + " " + strings.TrimSpace(line))
				continue
			}
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		if !ok || !isToken(name) {
			bad = badRequest("Malformed Header Field")
			continue
		}
		m.fields = append(m.fields, field{fieldKey(name), strings.TrimSpace(value)})
	}
	return bad
}

// split cuts a value at a separator outside quotes and angle brackets, and trims
// the parts.
func split(s string, sep byte) []string {
	var parts []string
	start, quoted, bracketed := 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracketed = true
		case c == '>':
			bracketed = false
		case c == sep && !bracketed:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}

// isToken: RFC 3261 section 25.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alphanumeric := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !alphanumeric && !strings.ContainsRune("-.!%*_+`'~", rune(c)) {
			return false
		}
	}
	return s != ""
}
