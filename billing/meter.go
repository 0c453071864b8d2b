package billing

import (
	"slices"
	"time"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// Policy is how a stay is kept within its money.
type Policy struct {
	// Share is how much time is reserved at once.
	Share time.Duration
	// Margin is how long before a share runs out the next one is asked for. It must
	// be longer than the first of Warnings.
	Margin time.Duration
	// Warnings are told so long before the end, the longest first.
	Warnings []time.Duration
	// Retry is the pause after the store failed, or after it said that the money is
	// used up (somebody may top the account up).
	Retry time.Duration
	// Offline is how long a stay goes on beyond what is reserved while the store
	// cannot be asked.
	Offline time.Duration
}

// DefaultPolicy reserves five minutes at a time and warns a minute and ten seconds
// before the end.
func DefaultPolicy() Policy {
	return Policy{Share: 5 * time.Minute, Margin: 90 * time.Second,
		Warnings: []time.Duration{time.Minute, 10 * time.Second},
		Retry:    5 * time.Second, Offline: 10 * time.Minute}
}

// Meter decides when a running stay has to reserve more, be warned, or end. It is
// pure: the owner tells it the time and what came of what it asked for.
type Meter struct {
	policy   Policy
	rate     store.Rate
	start    time.Time
	reserved money.Amount
	covered  time.Duration // how long reserved lasts
	ask      time.Duration // how much more is asked for next
	usedUp   bool          // the last answer: not even one interval more
	failing  bool          // the last answer: the store cannot say
	notUntil time.Time     // the next question waits so long
	warned   int           // warnings told
	ended    bool
}

// ActionKind says what the owner is to do.
type ActionKind uint8

const (
	Nothing ActionKind = iota
	Extend             // reserve Total in all; then tell Extended, Refused or Failed
	Warn               // tell the participant that Left remains
	End                // release the participant: the money is used up
)

// Action is one thing to do.
type Action struct {
	Kind  ActionKind
	Total money.Amount
	Left  time.Duration
}

// NewMeter watches a stay that began at start with reserved money.
func NewMeter(p Policy, r store.Rate, start time.Time, reserved money.Amount) *Meter {
	m := &Meter{policy: p, rate: r, start: start, ask: p.Share}
	m.set(reserved)
	return m
}

func (m *Meter) set(reserved money.Amount) {
	m.reserved = reserved
	covered, ok, err := rating.MaxDuration(m.rate, reserved)
	if !ok || err != nil {
		covered = 0
	}
	m.covered = covered
}

// Covered is how long the stay may last by what is reserved.
func (m *Meter) Covered() time.Duration { return m.covered }

// Next is what to do now. Call it again until it says Nothing.
func (m *Meter) Next(now time.Time) Action {
	used := now.Sub(m.start)
	left := m.end() - used
	switch {
	case m.ended:
		return Action{}
	case left <= 0:
		m.ended = true
		return Action{Kind: End}
	case m.covered-used <= m.policy.Margin && !now.Before(m.notUntil):
		return m.extend(now)
	case m.usedUp && m.warned < len(m.policy.Warnings) && left <= m.policy.Warnings[m.warned]:
		// One warning where several are due at once: the nearest to the end.
		for m.warned < len(m.policy.Warnings) && left <= m.policy.Warnings[m.warned] {
			m.warned++
		}
		return Action{Kind: Warn, Left: left}
	}
	return Action{}
}

// end is how long the stay may last in all.
func (m *Meter) end() time.Duration {
	if m.failing {
		return m.covered + m.policy.Offline
	}
	return m.covered
}

func (m *Meter) extend(now time.Time) Action {
	_, total, err := rating.Charge(m.rate, min(m.covered+m.ask, rating.MaxStay))
	if err != nil || total <= m.reserved {
		// A year, or a price out of range: no more can be promised.
		m.usedUp = true
		m.notUntil = now.Add(m.policy.Retry)
		return Action{}
	}
	return Action{Kind: Extend, Total: total}
}

// Extended: total is now reserved.
func (m *Meter) Extended(total money.Amount) {
	m.set(total)
	m.ask, m.usedUp, m.failing, m.warned = m.policy.Share, false, false, 0
	m.notUntil = time.Time{}
}

// Refused: the account does not have so much. Less is asked for, down to one
// interval; if that is refused too, the money is used up, for now.
func (m *Meter) Refused(now time.Time) {
	m.failing = false
	if m.ask > m.rate.Next {
		m.ask = max(m.ask/2, m.rate.Next)
		return
	}
	m.usedUp, m.ask = true, m.rate.Next
	m.notUntil = now.Add(m.policy.Retry)
}

// Failed: the store could not be asked.
func (m *Meter) Failed(now time.Time) {
	m.failing = true
	m.notUntil = now.Add(m.policy.Retry)
}

// Deadline is when Next may have something to do; zero once the stay has ended.
func (m *Meter) Deadline() time.Time {
	if m.ended {
		return time.Time{}
	}
	ask := m.start.Add(m.covered - m.policy.Margin)
	if ask.Before(m.notUntil) {
		ask = m.notUntil
	}
	times := []time.Time{m.start.Add(m.end()), ask}
	if m.usedUp && m.warned < len(m.policy.Warnings) {
		times = append(times, m.start.Add(m.end()-m.policy.Warnings[m.warned]))
	}
	return slices.MinFunc(times, time.Time.Compare)
}
