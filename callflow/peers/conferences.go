package peers

import (
	"context"
	"fmt"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
)

// Conferences give commands to conferences that go on.
type Conferences interface {
	SetMuted(ctx context.Context, id store.ConferenceID, p store.ParticipantID, muted bool, by conference.By) error
	SetAllMuted(ctx context.Context, id store.ConferenceID, muted bool, by conference.By) error
	SetLocked(ctx context.Context, id store.ConferenceID, locked bool, by conference.By) error
	SetRole(ctx context.Context, id store.ConferenceID, p store.ParticipantID, role store.Role, by conference.By) error
	Eject(ctx context.Context, id store.ConferenceID, p store.ParticipantID, by conference.By) error
	End(ctx context.Context, id store.ConferenceID, by conference.By) error
	Speakers(ctx context.Context, id store.ConferenceID) ([]conference.Speaker, error)
	StartRecording(ctx context.Context, id store.ConferenceID, o conference.RecordingOptions, by conference.By) error
	StopRecording(ctx context.Context, id store.ConferenceID, by conference.By) error
}

// command is one of them on the wire.
type command struct {
	Verb        string
	Conference  store.ConferenceID
	Participant store.ParticipantID         `json:",omitempty"`
	On          bool                        `json:",omitempty"`
	Role        store.Role                  `json:",omitempty"`
	Recording   conference.RecordingOptions `json:",omitzero"`
	By          conference.By
}

// give gives the command to conferences.
func (c command) give(ctx context.Context, to Conferences) error {
	switch c.Verb {
	case "mute":
		return to.SetMuted(ctx, c.Conference, c.Participant, c.On, c.By)
	case "mute-all":
		return to.SetAllMuted(ctx, c.Conference, c.On, c.By)
	case "lock":
		return to.SetLocked(ctx, c.Conference, c.On, c.By)
	case "role":
		return to.SetRole(ctx, c.Conference, c.Participant, c.Role, c.By)
	case "eject":
		return to.Eject(ctx, c.Conference, c.Participant, c.By)
	case "record":
		return to.StartRecording(ctx, c.Conference, c.Recording, c.By)
	case "stop-recording":
		return to.StopRecording(ctx, c.Conference, c.By)
	case "end":
		return to.End(ctx, c.Conference, c.By)
	}
	return fmt.Errorf("this node's program does not know the command %q", c.Verb)
}

// ServeConferences adds what others' Everywhere asks for.
func ServeConferences(s *rpc.Server, here Conferences) {
	rpc.Handle(s, methodCommand, func(ctx context.Context, _ certs.Identity, c command) (nothing, error) {
		return nothing{}, c.give(ctx, here)
	})
	rpc.Handle(s, methodSpeakers, func(ctx context.Context, _ certs.Identity, id store.ConferenceID) ([]conference.Speaker, error) {
		return here.Speakers(ctx, id)
	})
}

// Everywhere gives commands to conferences wherever they are hosted.
type Everywhere struct {
	self   store.Place
	here   Conferences
	client *Client
	find   func(ctx context.Context, id store.ConferenceID) (store.Place, error)
}

var _ Conferences = (*Everywhere)(nil)

// NewEverywhere makes one at the node self; find says which node hosts a conference.
func NewEverywhere(self store.Place, here Conferences, client *Client, find func(context.Context, store.ConferenceID) (store.Place, error)) *Everywhere {
	return &Everywhere{self: self, here: here, client: client, find: find}
}

// Speakers are those whose voice is heard now, as the node says that hosts the conference.
func (e *Everywhere) Speakers(ctx context.Context, id store.ConferenceID) ([]conference.Speaker, error) {
	at, err := e.find(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("finding where conference %s is: %w", id, err)
	}
	if at == e.self {
		return e.here.Speakers(ctx, id)
	}
	return rpc.Call[store.ConferenceID, []conference.Speaker](ctx, e.client.rpc, e.client.identity(at), methodSpeakers, id)
}

func (e *Everywhere) do(ctx context.Context, c command) error {
	at, err := e.find(ctx, c.Conference)
	if err != nil {
		return fmt.Errorf("finding where conference %s is: %w", c.Conference, err)
	}
	if at == e.self {
		return c.give(ctx, e.here)
	}
	_, err = rpc.Call[command, nothing](ctx, e.client.rpc, e.client.identity(at), methodCommand, c)
	return err
}

// The commands of Conferences.

func (e *Everywhere) SetMuted(ctx context.Context, id store.ConferenceID, p store.ParticipantID, muted bool, by conference.By) error {
	return e.do(ctx, command{Verb: "mute", Conference: id, Participant: p, On: muted, By: by})
}

func (e *Everywhere) SetAllMuted(ctx context.Context, id store.ConferenceID, muted bool, by conference.By) error {
	return e.do(ctx, command{Verb: "mute-all", Conference: id, On: muted, By: by})
}

func (e *Everywhere) SetLocked(ctx context.Context, id store.ConferenceID, locked bool, by conference.By) error {
	return e.do(ctx, command{Verb: "lock", Conference: id, On: locked, By: by})
}

func (e *Everywhere) SetRole(ctx context.Context, id store.ConferenceID, p store.ParticipantID, role store.Role, by conference.By) error {
	return e.do(ctx, command{Verb: "role", Conference: id, Participant: p, Role: role, By: by})
}

func (e *Everywhere) Eject(ctx context.Context, id store.ConferenceID, p store.ParticipantID, by conference.By) error {
	return e.do(ctx, command{Verb: "eject", Conference: id, Participant: p, By: by})
}

func (e *Everywhere) End(ctx context.Context, id store.ConferenceID, by conference.By) error {
	return e.do(ctx, command{Verb: "end", Conference: id, By: by})
}

func (e *Everywhere) StartRecording(ctx context.Context, id store.ConferenceID, o conference.RecordingOptions, by conference.By) error {
	return e.do(ctx, command{Verb: "record", Conference: id, Recording: o, By: by})
}

func (e *Everywhere) StopRecording(ctx context.Context, id store.ConferenceID, by conference.By) error {
	return e.do(ctx, command{Verb: "stop-recording", Conference: id, By: by})
}
