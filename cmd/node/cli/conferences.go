package cli

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func conferencesCommand() *cobra.Command {
	return group("conferences", "See and control conferences", `A conference is a room in use, from its first participant to its last. It is given by its
id or, while it goes on, by the name of its room; a participant by id or by who called.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listConferences(c), showConference(c), conferenceQuality(c), history(c), muteCommand(c, true), muteCommand(c, false),
				roleCommand(c), kick(c), lockCommand(c, true), lockCommand(c, false), endCommand(c)}
		})
}

func listConferences(c *connection) *cobra.Command {
	var room string
	var ended bool
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "List conferences that go on, or all", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			q := newQuery()
			if room != "" {
				id, err := t.room(room)
				if err != nil {
					return err
				}
				q.add("room", id)
			}
			if ended {
				q.add("ended", "true")
			}
			return table(t.printer, limited[v1.Conference](t, "/conferences", q, limit), "ID ROOM KIND SITE NODE STARTED ENDED REASON",
				func(v v1.Conference) []any {
					return []any{v.ID, v.RoomName, v.Kind, v.Focus.Site, v.Focus.Node, v.StartedAt, v.EndedAt, v.EndReason}
				})
		})}
	cmd.Flags().StringVar(&room, "room", "", "only those of a `ROOM`, given by id or name")
	cmd.Flags().BoolVar(&ended, "ended", false, "those that have ended too")
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

func showConference(c *connection) *cobra.Command {
	var at string
	cmd := &cobra.Command{Use: "show CONFERENCE", Short: "Show who is in, and who hears whom", Args: cobra.ExactArgs(1),
		Example: "  node conferences show \"Demo room\"\n  node conferences show 01a1fc1a-0858-7689-83a4-0260ec6d07a2 --at 2026-03-01T10:15:00Z",
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			q := newQuery()
			if err := q.addTime("at", "at", at); err != nil {
				return err
			}
			state, err := client.Get[v1.ConferenceState](t, t.node, client.Path("conferences", id), q.Values)
			if err != nil {
				return err
			}
			return printState(t, state)
		})}
	cmd.Flags().StringVar(&at, "at", "", "as it was at a `TIME`, such as 2026-03-01T10:15:00Z")
	return cmd
}

func printState(t task, state v1.ConferenceState) error {
	if t.json {
		return t.encode(state)
	}
	if err := t.one(state); err != nil {
		return err
	}
	fmt.Fprintf(t.w, "\nparticipants (%d)\n", len(state.Participants))
	return table(t.printer, each(state.Participants), "ID CALLER ROLE JOINED MUTED HOLD HAND HEARD HEARING", func(m v1.Member) []any {
		return []any{m.ParticipantID, m.Caller, m.Role, m.JoinedAt, mutedBy(m), m.OnHold, m.HandRaised, m.Heard, m.Hearing}
	})
}

func mutedBy(m v1.Member) string {
	switch {
	case m.MutedByModerator:
		return "moderator"
	case m.Muted:
		return "self"
	}
	return ""
}

// each is a list that is there already.
func each[T any](items []T) func(func(T, error) bool) {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func history(c *connection) *cobra.Command {
	return &cobra.Command{Use: "history CONFERENCE", Short: "Tell what happened in a conference", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			list := client.List[v1.ConferenceEvent](t, t.node, client.Path("conferences", id, "events"), nil)
			return table(t.printer, list, "AT WHAT WHO BY DETAIL", func(e v1.ConferenceEvent) []any {
				return []any{e.At, e.Kind, e.ParticipantID, e.By, string(e.Detail)}
			})
		})}
}

func muteCommand(c *connection, mute bool) *cobra.Command {
	verb, short := "unmute", "Let a participant be heard again, or with --all everyone"
	if mute {
		verb, short = "mute", "Mute a participant, or with --all everyone but moderators"
	}
	all := false
	cmd := &cobra.Command{Use: verb + " CONFERENCE [PARTICIPANT]", Short: short,
		Args: cobra.RangeArgs(1, 2), Example: fmt.Sprintf("  node conferences %[1]s \"Demo room\" alice\n  node conferences %[1]s \"Demo room\" --all", verb),
		RunE: c.run(func(t task) error {
			switch {
			case all && len(t.args) == 1:
				return t.control(v1.ConferenceEdit{AllMuted: &mute}, verb+"d all in %s")
			case !all && len(t.args) == 2:
				return t.participantEdit(v1.ParticipantEdit{Muted: &mute}, verb+"d %s")
			}
			return errors.New("name one participant, or give --all")
		})}
	cmd.Flags().BoolVar(&all, "all", false, "everyone but moderators, those who come later too")
	return cmd
}

func lockCommand(c *connection, lock bool) *cobra.Command {
	verb, short := "unlock", "Let everybody with a code in again"
	if lock {
		verb, short = "lock", "Let only moderators join"
	}
	return &cobra.Command{Use: verb + " CONFERENCE", Short: short, Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error { return t.control(v1.ConferenceEdit{Locked: &lock}, verb+"ed %s") })}
}

// control changes a conference.
func (t task) control(edit v1.ConferenceEdit, done string) error {
	id, err := t.conference(t.args[0])
	if err != nil {
		return err
	}
	if err := client.Send(t, t.node, http.MethodPatch, client.Path("conferences", id), edit, nil); err != nil {
		return err
	}
	t.done(done, t.args[0])
	return nil
}

// participantEdit changes a participant.
func (t task) participantEdit(edit v1.ParticipantEdit, done string) error {
	id, err := t.participant(t.args[0], t.args[1])
	if err != nil {
		return err
	}
	if err := client.Send(t, t.node, http.MethodPatch, client.Path("participants", id), edit, nil); err != nil {
		return err
	}
	t.done(done, t.args[1])
	return nil
}

func roleCommand(c *connection) *cobra.Command {
	return &cobra.Command{Use: "role CONFERENCE PARTICIPANT moderator|speaker|listen-only", Short: "Give a participant a role", Args: cobra.ExactArgs(3),
		RunE: c.run(func(t task) error {
			return t.participantEdit(v1.ParticipantEdit{Role: &t.args[2]}, "%s is now "+t.args[2])
		})}
}

func kick(c *connection) *cobra.Command {
	return &cobra.Command{Use: "kick CONFERENCE PARTICIPANT", Short: "Take a participant out", Args: cobra.ExactArgs(2),
		RunE: c.run(func(t task) error {
			id, err := t.participant(t.args[0], t.args[1])
			if err != nil {
				return err
			}
			if err := client.Send(t, t.node, http.MethodDelete, client.Path("participants", id), nil, nil); err != nil {
				return err
			}
			t.done("%s was taken out of %s", t.args[1], t.args[0])
			return nil
		})}
}

func endCommand(c *connection) *cobra.Command {
	return &cobra.Command{Use: "end CONFERENCE", Short: "End a conference and release everybody", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			if err := client.Send(t, t.node, http.MethodPost, client.Path("conferences", id, "end"), nil, nil); err != nil {
				return err
			}
			t.done("ended the conference of %s", t.args[0])
			return nil
		})}
}
