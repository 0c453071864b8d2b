package signaling

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Party is who a call is from or to.
type Party struct {
	User    string // as it came: escapes are kept
	Host    string
	Display string // without quotes
}

// param is a parameter of a header field; the name is in lower case.
type param struct{ name, value string }

// address is a name-addr or addr-spec with parameters (RFC 3261 section 20.10).
type address struct {
	display string
	spec    string // the URI as it came
	uri     sip.Uri
	params  []param
}

func (a *address) param(name string) string {
	for _, p := range a.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

func (a *address) party() Party {
	return Party{User: uriUser(&a.uri), Host: a.uri.Host, Display: a.display}
}

// nameAddr is the address with its URI parameters and without those of the field.
func (a *address) nameAddr() string {
	if a.display == "" {
		return "<" + a.spec + ">"
	}
	return quote(a.display) + " <" + a.spec + ">"
}

// uriUser is the user part, or the number of a tel URI.
func uriUser(u *sip.Uri) string {
	if u.Scheme == "tel" {
		number, _, _ := strings.Cut(u.Raw(), ";")
		return number
	}
	return u.User
}

func quote(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", " ", "\n", " ").Replace(s)
	return `"` + s + `"`
}

// parseAddress reads what sipgo's parser takes too generously: it keeps unbalanced
// quotes, spaces inside the URI and unquoted names (RFC 4475 sections 3.1.2.8 to
// 3.1.2.16). The URI itself is parsed by sipgo.
func parseAddress(s string) (address, error) {
	var a address
	s = strings.TrimSpace(s)
	rest := s
	if strings.HasPrefix(s, `"`) {
		display, after, err := unquote(s)
		if err != nil {
			return a, err
		}
		a.display, rest = display, strings.TrimSpace(after)
		if !strings.HasPrefix(rest, "<") {
			return a, errors.New("a quoted name without a URI in angle brackets")
		}
	} else if i := strings.IndexByte(s, '<'); i > 0 {
		a.display, rest = strings.TrimSpace(s[:i]), s[i:]
		for _, word := range strings.Fields(a.display) {
			if !isToken(word) {
				return a, errors.New("a name that needs quotes")
			}
		}
	}
	params := ""
	if strings.HasPrefix(rest, "<") {
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return a, errors.New("no closing angle bracket")
		}
		a.spec, params = rest[1:end], strings.TrimSpace(rest[end+1:])
		if params != "" && params[0] != ';' {
			return a, errors.New("text after the closing angle bracket")
		}
		params = strings.TrimPrefix(params, ";")
	} else {
		var found bool
		if a.spec, params, found = strings.Cut(rest, ";"); found && params == "" {
			return a, errors.New("an empty parameter")
		}
		a.spec = strings.TrimSpace(a.spec)
		if strings.ContainsAny(a.spec, ",?") {
			return a, errors.New("a URI that needs angle brackets")
		}
	}
	if strings.ContainsAny(a.spec, " \t\"<>") {
		return a, errors.New("a space or quote inside the URI")
	}
	if err := parseURI(a.spec, &a.uri); err != nil {
		return a, err
	}
	var err error
	a.params, err = parseParams(params)
	return a, err
}

// parseURI parses with sipgo, which panics for none of 3 million mutations, but
// the check is cheap.
func parseURI(s string, uri *sip.Uri) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse URI: %v", r)
		}
	}()
	if err := sip.ParseUri(s, uri); err != nil {
		return err
	}
	if uri.Wildcard {
		return errors.New("* is no URI")
	}
	if (uri.Scheme == "sip" || uri.Scheme == "sips") && (uri.Host == "" || uri.Port < 0 || uri.Port > 65535) {
		return errors.New("a SIP URI without a host, or with a wrong port")
	}
	return nil
}

// unquote reads a quoted string at the start of s.
func unquote(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			i++
			if i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("no closing quote")
}

// parseParams reads ;-separated parameters. Empty ones are an error.
func parseParams(s string) ([]param, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var params []param
	for _, p := range split(s, ';') {
		name, value, _ := strings.Cut(p, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !isToken(name) {
			return nil, fmt.Errorf("parameter %q has no proper name", p)
		}
		if strings.HasPrefix(value, `"`) {
			text, _, err := unquote(value)
			if err != nil {
				return nil, err
			}
			value = text
		}
		params = append(params, param{name, value})
	}
	return params, nil
}

// via is a Via header field value (RFC 3261 section 20.42).
type via struct {
	version, transport, host string
	port                     int
	params                   []param
}

func parseVia(s string) (via, error) {
	var v via
	parts := strings.SplitN(s, "/", 3)
	if len(parts) != 3 || !strings.EqualFold(strings.TrimSpace(parts[0]), "SIP") {
		return v, errors.New("a Via without SIP/2.0/transport")
	}
	v.version = strings.TrimSpace(parts[1])
	hop, params, found := strings.Cut(strings.TrimSpace(parts[2]), ";")
	words := strings.Fields(hop)
	if len(words) < 2 || !isToken(words[0]) {
		return v, errors.New("a Via without transport and host")
	}
	v.transport = strings.ToUpper(words[0])
	if err := v.parseSentBy(strings.Join(words[1:], "")); err != nil {
		return v, err
	}
	if found && strings.TrimSpace(params) == "" {
		return v, errors.New("an empty parameter in Via")
	}
	var err error
	v.params, err = parseParams(params)
	return v, err
}

func (v *via) parseSentBy(s string) error {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return errors.New("a Via with a wrong port")
		}
		v.port = int(n)
	}
	v.host = strings.Trim(host, "[]")
	if v.host == "" || strings.ContainsAny(host, ",;\"<>") {
		return errors.New("a Via without a host")
	}
	return nil
}

func (v *via) param(name string) (string, bool) {
	for _, p := range v.params {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

func (v *via) branch() string {
	b, _ := v.param("branch")
	return b
}

// annotate is the value for our responses: with received, where sent-by does not
// name the source (RFC 3261 section 18.2.1), and with rport filled in (RFC 3581
// section 4). The rest stays as it came.
func annotate(value string, v via, source netip.AddrPort) string {
	_, wantsPort := v.param("rport")
	host, err := netip.ParseAddr(v.host)
	if !wantsPort && err == nil && host.Unmap() == source.Addr() {
		return value
	}
	parts := split(value, ';')
	out := parts[:1:1]
	for _, p := range parts[1:] {
		name, _, _ := strings.Cut(p, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "received":
		case "rport":
			out = append(out, "rport="+strconv.Itoa(int(source.Port())))
		default:
			out = append(out, p)
		}
	}
	return strings.Join(append(out, "received="+source.Addr().WithZone("").String()), ";")
}
