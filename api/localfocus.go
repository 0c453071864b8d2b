package api

import (
	"context"

	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
)

// LocalFocus is the Focus of the conferences that this node hosts.
type LocalFocus struct{ host *conference.Host }

// NewLocalFocus makes one over the node's host.
func NewLocalFocus(h *conference.Host) LocalFocus { return LocalFocus{host: h} }

var _ Focus = LocalFocus{}

func (f LocalFocus) SetMuted(_ context.Context, id store.ConferenceID, p store.ParticipantID, muted bool, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.SetMuted(p, muted, by) })
}

func (f LocalFocus) SetAllMuted(_ context.Context, id store.ConferenceID, muted bool, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.SetAllMuted(muted, by) })
}

func (f LocalFocus) SetLocked(_ context.Context, id store.ConferenceID, locked bool, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.SetLocked(locked, by) })
}

func (f LocalFocus) SetRole(_ context.Context, id store.ConferenceID, p store.ParticipantID, role store.Role, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.SetRole(p, role, by) })
}

func (f LocalFocus) Eject(_ context.Context, id store.ConferenceID, p store.ParticipantID, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.Eject(p, by) })
}

func (f LocalFocus) End(_ context.Context, id store.ConferenceID, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.End(by) })
}

func (f LocalFocus) Speakers(_ context.Context, id store.ConferenceID) ([]conference.Speaker, error) {
	c, err := f.host.Conference(id)
	if err != nil {
		return nil, err
	}
	return c.Speakers(), nil
}

func (f LocalFocus) StartRecording(_ context.Context, id store.ConferenceID, o conference.RecordingOptions, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.StartRecording(o, by) })
}

func (f LocalFocus) StopRecording(_ context.Context, id store.ConferenceID, by conference.By) error {
	return f.command(id, func(c *conference.Conference) error { return c.StopRecording(by) })
}

func (f LocalFocus) command(id store.ConferenceID, do func(*conference.Conference) error) error {
	c, err := f.host.Conference(id)
	if err != nil {
		return err
	}
	return do(c)
}
