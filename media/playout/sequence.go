package playout

import "github.com/conclave-voice/conclave/media/quality"

// Limits of RFC 3550 appendix A.1.
const (
	maxDropout = 3000 // packets that may be lost in a row before it is another stream
	judged     = 32   // packets after which it is said of one whether it was heard: no delay waits for it longer
	window     = 128  // packets that one may come late (MAX_MISORDER is 100); they are remembered, to know doubles
)

// arrival is what a sequence number says about its packet.
type arrival uint8

const (
	fresh     arrival = iota
	duplicate         // it came before
	stray             // far from all others: not counted, unless the next one follows it
	restart           // the second in a row that is far from the others: the sender began anew
)

// sequence follows the sequence numbers of one stream.
type sequence struct {
	started  bool
	first    int64 // extended by the cycles, as all here
	highest  int64
	seen     [2]uint64      // bit i: highest-i has come
	late     uint64         // bit i: it came too late to be played
	losses   quality.Losses // of all streams
	received int64          // with duplicates, as RFC 3550 section 6.4.1 counts
	distinct int64          // without
	expect   uint16         // follows the last stray
	strayed  bool
	before   int64 // lost in the streams before this one

	reportedExpected, reportedReceived int64 // at the last report
}

// take counts a packet and gives its extended number.
func (s *sequence) take(number uint16) (int64, arrival) {
	if !s.started {
		s.begin(number)
		return s.highest, fresh
	}
	ahead := int64(int16(number - uint16(s.highest)))
	extended := s.highest + ahead
	if ahead > maxDropout || ahead <= -window {
		if s.strayed && number == s.expect {
			s.begin(number)
			return s.highest, restart
		}
		s.strayed, s.expect = true, number+1
		return 0, stray
	}
	s.strayed = false
	s.received++
	if ahead > 0 {
		s.advance(ahead)
		s.highest = extended
	} else if s.has(extended) {
		return extended, duplicate
	}
	s.mark(extended)
	s.distinct++
	s.first = min(s.first, extended)
	return extended, fresh
}

func (s *sequence) begin(number uint16) {
	s.judge(judged)
	*s = sequence{losses: s.losses, started: true, first: int64(number), highest: int64(number), received: 1, distinct: 1, before: s.lost()}
	s.mark(s.highest)
}

// forget makes ready for another stream.
func (s *sequence) forget() {
	s.judge(judged)
	*s = sequence{losses: s.losses, before: s.lost()}
}

// judge counts the n oldest packets of those that were not judged, and what was left out
// behind them.
func (s *sequence) judge(n int64) {
	if !s.started {
		return
	}
	for at := max(s.highest-judged+1, s.first); at <= s.highest-judged+n; at++ {
		switch {
		case !s.has(at):
			s.losses.Lost()
		case s.late>>(s.highest-at)&1 == 1:
			s.losses.Late()
		default:
			s.losses.Heard()
		}
	}
}

// tooLate notes that a packet came, and was not played.
func (s *sequence) tooLate(extended int64) {
	if back := s.highest - extended; back >= 0 && back < judged {
		s.late |= 1 << back
	}
}

// advance moves the window up by n > 0 packets.
func (s *sequence) advance(n int64) {
	s.judge(n)
	s.late <<= n
	if n >= window {
		s.seen = [2]uint64{}
		return
	}
	if n >= 64 {
		s.seen[1], s.seen[0] = s.seen[0], 0
		n -= 64
	}
	s.seen[1] = s.seen[1]<<n | s.seen[0]>>(64-n)
	s.seen[0] <<= n
}

func (s *sequence) mark(extended int64) {
	back := s.highest - extended
	s.seen[back/64] |= 1 << (back % 64)
}

// has says whether a packet has come. What is older than the window counts as
// lost.
func (s *sequence) has(extended int64) bool {
	back := s.highest - extended
	return back >= 0 && back < window && s.seen[back/64]>>(back%64)&1 == 1
}

// missing says whether a packet between two, both excluded, has not come.
func (s *sequence) missing(after, before int64) bool {
	if before-after > window {
		return true
	}
	for n := after + 1; n < before; n++ {
		if !s.has(n) {
			return true
		}
	}
	return false
}

func (s *sequence) expected() int64 {
	if !s.started {
		return 0
	}
	return s.highest - s.first + 1
}

// lost is how many packets have not come, in this stream and those before it.
func (s *sequence) lost() int64 { return s.before + max(0, s.expected()-s.distinct) }

// report gives the loss fields of an RTCP report block and begins a new interval
// (RFC 3550 appendix A.3).
func (s *sequence) report() (fraction uint8, total uint32, highest uint32) {
	expected := s.expected() - s.reportedExpected
	lost := expected - (s.received - s.reportedReceived)
	s.reportedExpected, s.reportedReceived = s.expected(), s.received
	if expected > 0 && lost > 0 {
		fraction = uint8(min(lost<<8/expected, 255))
	}
	// The field has 24 bits with a sign; more duplicates than losses would make
	// it negative, which says nothing that a sender can use.
	total = uint32(max(0, min(s.expected()-s.received, 0x7fffff)))
	return fraction, total, uint32(s.highest)
}
