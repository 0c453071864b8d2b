package conference

import (
	"time"

	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// SetMuted mutes or unmutes one participant.
func (c *Conference) SetMuted(id store.ParticipantID, muted bool, by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.SetMuted(now, id, muted, by)
	})
}

// SetAllMuted mutes or unmutes everyone but moderators.
func (c *Conference) SetAllMuted(muted bool, by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.SetAllMuted(now, muted, by)
	})
}

// SetLocked lets nobody else in, or again everybody.
func (c *Conference) SetLocked(locked bool, by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.SetLocked(now, locked, by)
	})
}

// SetRole makes a participant a moderator, speaker or listener.
func (c *Conference) SetRole(id store.ParticipantID, role store.Role, by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.SetRole(now, id, role, by)
	})
}

// Eject takes a participant out.
func (c *Conference) Eject(id store.ParticipantID, by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.Eject(now, id, by)
	})
}

// End lets everybody go.
func (c *Conference) End(by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.End(now, by)
	})
}
