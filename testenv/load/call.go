package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// state is how far a call has come.
type state int

const (
	calling     state = iota // the INVITE has no final response yet
	talking                  // it was answered
	leavingCall              // our BYE has no response yet
	over                     // nothing is to come
)

// call is one call of a seat.
type call struct {
	seat    *seat
	id, tag string
	state   state
	to      string // of its requests
	rtp     uint16 // the node's port, from its SDP

	answered time.Time
	request  string // the one that waits for a response
	sent     time.Time
	tries    int
}

// pending says whether a request of the call waits for its response.
func (c *call) pending() bool { return c.state == calling || c.state == leavingCall }

// due says whether it has to be sent again (RFC 3261 sections 17.1.1.2 and 17.1.2.2).
func (c *call) due(now time.Time) bool {
	const t1 = 500 * time.Millisecond
	return c.pending() && now.Sub(c.sent) > t1<<min(c.tries-1, 3)
}

// offer is the SDP of the call (RFC 4566).
func (c *call) offer(local string, port int) string {
	codec := c.seat.codec
	return fmt.Sprintf("v=0\r\no=- %d 1 IN IP4 %[2]s\r\ns=-\r\nc=IN IP4 %[2]s\r\nt=0 0\r\nm=audio %[3]d RTP/AVP %[4]d %[5]d\r\n"+
		"a=rtpmap:%[4]d %[6]s\r\na=rtpmap:%[5]d telephone-event/%[7]d\r\na=ptime:20\r\n",
		c.seat.n+1, local, port, codec.PayloadType, eventType, codec.Map(), codec.Clock)
}

// message is a request of the call. local is our address, uri the node's.
func (c *call) message(method string, cseq int, local, uri, headers, body string) string {
	return fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[4]s%[1]s\r\nMax-Forwards: 70\r\nFrom: <sip:load%[5]d@%[3]s>;tag=%[6]s\r\nTo: %[7]s\r\n"+
		"Call-ID: %[4]s\r\nCSeq: %[8]d %[1]s\r\nContact: <sip:load%[5]d@%[3]s>\r\n%[9]sContent-Length: %[10]d\r\n\r\n%[11]s",
		method, uri, local, c.id, c.seat.n, c.tag, c.to, cseq, headers, len(body), body)
}

// response is a 200 to a request.
func response(request string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 200 OK\r\n")
	for line := range strings.SplitSeq(request, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "via", "from", "to", "call-id", "cseq":
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.String()
}

// header is the value of a header field that is there once.
func header(text, name string) string {
	for line := range strings.SplitSeq(text, "\r\n") {
		if field, value, found := strings.Cut(line, ":"); found && strings.EqualFold(field, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// mediaLine is the port and the first payload type of the first stream. Port 0 has no
// audio.
func mediaLine(text string) (port uint16, payloadType int) {
	_, rest, _ := strings.Cut(text, "\r\nm=audio ")
	line, _, _ := strings.Cut(rest, "\r\n")
	fields := strings.Fields(line) // port, protocol, payload types
	if len(fields) < 3 {
		return 0, -1
	}
	number, _ := strconv.ParseUint(fields[0], 10, 16)
	payloadType, _ = strconv.Atoi(fields[2])
	return uint16(number), payloadType
}
