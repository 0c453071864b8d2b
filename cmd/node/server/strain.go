package server

import (
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/media/engine"
)

const (
	// lateShare is how many of the ticks may begin late, of all in a second.
	lateShare = 0.05
	// strainedFor is how many seconds in a row are strained until callers are refused, and
	// calmFor how many are not until they are taken again.
	strainedFor = 2
	calmFor     = 10
	// calmShare of the limit is what counts as calm: fewer callers, and not the same again.
	calmShare = 0.8
)

// strain decides by what the media engine does whether it can have more callers, before
// those that are there hear that it cannot (SPEC OP3). It is pure.
type strain struct {
	limit float64 // share of the workers' time, 0 to 1; 0: never strained

	last           engine.Load
	at             time.Time
	strained, calm int // seconds in a row
	refusing       bool
}

// look takes what the engine has done up to now, about once a second. It says whether
// callers are to be refused; why, if that has just begun.
func (s *strain) look(now time.Time, l engine.Load) (refuse bool, why string) {
	before, since := s.last, now.Sub(s.at)
	first := s.at.IsZero()
	s.last, s.at = l, now
	if first || since <= 0 || s.limit == 0 {
		return false, ""
	}
	busy := float64(l.Busy-before.Busy) / float64(since) / float64(max(l.Workers, 1))
	due := float64(l.Ticks-before.Ticks) + float64(l.Skipped-before.Skipped)
	late := 0.0
	if due > 0 {
		late = (float64(l.Late-before.Late) + float64(l.Skipped-before.Skipped)) / due
	}
	switch {
	case busy > s.limit || late > lateShare:
		s.strained, s.calm = s.strained+1, 0
	case busy < calmShare*s.limit && late <= lateShare/2:
		s.strained, s.calm = 0, s.calm+1
	default: // neither: as it was
		s.strained, s.calm = 0, 0
	}
	switch {
	case !s.refusing && s.strained >= strainedFor:
		s.refusing = true
		return true, fmt.Sprintf("audio takes %.0f %% of the processors' time, and %.0f %% of its ticks are late", 100*busy, 100*late)
	case s.refusing && s.calm >= calmFor:
		s.refusing = false
	}
	return s.refusing, ""
}

// ease refuses callers, or takes them again, by what the media engine does.
func (n *Node) ease(s *strain) {
	refuse, why := s.look(n.clock.Now(), n.media.Load())
	if refuse == n.strained.Load() {
		return
	}
	n.strained.Store(refuse)
	if refuse {
		n.logger.Error("new callers are refused: audio would suffer", "because", why, "fix", "add nodes, or give this one more processors")
	} else {
		n.logger.Info("callers are taken again")
	}
}

// crowded is how many seats a strained node says that it has taken, where it has no limit:
// others are asked first.
const crowded = 1000

// seats is how loaded the node is, as others are told.
func (n *Node) seats() int {
	seats := n.host.Load().Seats
	if n.strained.Load() {
		seats = max(seats, n.config.MaxParticipants, crowded)
	}
	return seats
}
