package callflow

import "time"

// digitMethod is how a digit reached us.
type digitMethod uint8

const (
	byEvent digitMethod = iota // RFC 4733
	byInfo                     // SIP INFO
	byTone                     // in the audio
)

// sameDigit is how far apart one key press can arrive by two methods.
const sameDigit = 500 * time.Millisecond

// digitSource drops the second copy of a digit that a phone sends in two ways. It
// is pure. Once a phone has used INFO, tones in its audio are copies.
type digitSource struct {
	info  bool
	digit byte
	how   digitMethod
	at    time.Time
}

// take says whether the digit is one that has not been taken yet.
func (s *digitSource) take(d byte, how digitMethod, now time.Time) bool {
	s.info = s.info || how == byInfo
	copied := how != s.how && d == s.digit && now.Sub(s.at) < sameDigit
	if copied || (how == byTone && s.info) {
		return false
	}
	s.digit, s.how, s.at = d, how, now
	return true
}
