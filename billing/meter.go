package billing

import (
	"slices"
	"time"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// Meter decides when a running stay has to reserve more, be warned, or end. It is
// pure: the owner tells it the time and what came of what it asked for.
//
// The end of a stay is that of what is reserved. While the store cannot say whether
// there is more, it is the offline allowance later; not so once it has said that
// there is not. Warnings count from the end, and are given only when the end is in
// sight: the money is used up, or the store fails.
type Meter struct {
	policy   Policy
	rate     store.Rate
	start    time.Time
	reserved money.Amount
	covered  time.Duration // how long reserved lasts
	ask      time.Duration // how much more is asked for next
	usedUp   bool          // the store said last: not even one interval more
	failures int           // in a row: the store cannot say
	notUntil time.Time     // the next question waits so long
	warned   int           // warnings told
	ended    bool
	unsure   bool          // reserved is the least that it may be; the store has not been asked since
	resumed  time.Duration // how long the stay had lasted then
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

// Resumed: the stay goes on here after another node watched it, and reserved is the least
// that it had reserved. Before the stay ends, or is warned, the store is asked for more.
func (m *Meter) Resumed(now time.Time) { m.unsure, m.resumed = true, now.Sub(m.start) }

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

// Reserved is what is reserved.
func (m *Meter) Reserved() money.Amount { return m.reserved }

// Next is what to do now. Call it again until it says Nothing.
func (m *Meter) Next(now time.Time) Action {
	used := now.Sub(m.start)
	left := m.end() - used
	if m.ended {
		return Action{}
	}
	if left <= 0 {
		m.ended = true
		return Action{Kind: End}
	}
	if (m.unsure || m.covered-used <= m.policy.Margin) && !now.Before(m.notUntil) {
		if total, ok := m.more(used); ok {
			return Action{Kind: Extend, Total: total}
		}
		m.usedUp, m.unsure, m.notUntil = true, false, now.Add(m.policy.Retry)
		return m.Next(now)
	}
	return m.warn(left)
}

// warn tells the participant how long is left, if a warning is due. One is told
// where several are: the nearest to the end.
func (m *Meter) warn(left time.Duration) Action {
	warnings := m.policy.Warnings
	for m.warned > 0 && left > warnings[m.warned-1] {
		m.warned-- // the end has moved away
	}
	if !m.endInSight() || m.warned == len(warnings) || left > warnings[m.warned] {
		return Action{}
	}
	for m.warned < len(warnings) && left <= warnings[m.warned] {
		m.warned++
	}
	return Action{Kind: Warn, Left: left}
}

func (m *Meter) endInSight() bool { return m.usedUp || m.failures > 0 }

// end is how long the stay may last in all.
func (m *Meter) end() time.Duration {
	switch {
	case m.unsure && m.failures > 0:
		return max(m.covered, m.resumed) + m.policy.Offline
	case m.unsure:
		return rating.MaxStay
	case m.failures > 0 && !m.usedUp:
		return m.covered + m.policy.Offline
	}
	return m.covered
}

// more is what to reserve in all for ask more than now, or than is covered; false if
// no more can be promised: a year, or a price out of range.
func (m *Meter) more(used time.Duration) (total money.Amount, ok bool) {
	_, total, err := rating.Charge(m.rate, min(max(m.covered, used)+m.ask, rating.MaxStay))
	return total, err == nil && total > m.reserved
}

// Extended: total is now reserved.
func (m *Meter) Extended(total money.Amount) {
	m.set(total)
	m.unsure = false
	m.ask, m.usedUp, m.failures, m.notUntil = m.policy.Share, false, 0, time.Time{}
}

// Refused: the account does not have so much. Less is asked for, down to one
// interval; if that is refused too, the money is used up, for now.
func (m *Meter) Refused(now time.Time) {
	if m.ask > m.rate.Next {
		// The allowance, if the stay lives by it, goes on until the last answer.
		m.ask = max(m.ask/2, m.rate.Next)
		return
	}
	m.usedUp, m.unsure, m.failures, m.ask = true, false, 0, m.rate.Next
	m.notUntil = now.Add(m.policy.Retry)
}

// Failed: the store could not be asked.
func (m *Meter) Failed(now time.Time) {
	pause := m.policy.Retry
	for range m.failures {
		pause = min(2*pause, max(m.policy.RetryMost, m.policy.Retry))
	}
	// No more doublings than matter.
	m.failures = min(m.failures+1, maxDoublings)
	m.notUntil = now.Add(pause)
}

const maxDoublings = 32

// Limit is when the stay has to end, as things are. What a stay lasts beyond it, for
// the node was late to release it, is not to be charged.
func (m *Meter) Limit() time.Time { return m.start.Add(m.end()) }

// Deadline is when Next may have something to do; zero once the stay has ended.
func (m *Meter) Deadline() time.Time {
	if m.ended {
		return time.Time{}
	}
	ask := m.start.Add(m.covered - m.policy.Margin)
	if m.unsure {
		ask = m.start
	}
	if ask.Before(m.notUntil) {
		ask = m.notUntil
	}
	times := []time.Time{m.Limit(), ask}
	if m.endInSight() && m.warned < len(m.policy.Warnings) {
		times = append(times, m.start.Add(m.end()-m.policy.Warnings[m.warned]))
	}
	return slices.MinFunc(times, time.Time.Compare)
}
