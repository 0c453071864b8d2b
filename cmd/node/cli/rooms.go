package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func roomsCommand() *cobra.Command {
	return group("rooms", "See and change rooms", `A room is what access codes lead to. It belongs to an account, which pays for everybody in
it. A caller with the host code is a moderator, one with the guest code a guest.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listRooms(c), showRoom(c), addRoom(c), editRoom(c), removeRoom(c)}
		})
}

func listRooms(c *connection) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{Use: "list", Short: "List rooms", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			return table(t.printer, limited[v1.Room](t, "/rooms", newQuery(), limit), "ID NAME HOST GUEST MODERATED MAX SITE",
				func(r v1.Room) []any {
					return []any{r.ID, r.Name, r.HostCode, r.GuestCode, r.Moderated, orNone(r.MaxParticipants), r.HomeSite}
				})
		})}
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

// orNone leaves a limit of 0, which is none, empty.
func orNone(n int) any {
	if n == 0 {
		return ""
	}
	return n
}

func showRoom(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show ROOM", Short: "Show all of a room, given by id or name", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			id, err := t.room(t.args[0])
			if err != nil {
				return err
			}
			r, err := client.Get[v1.Room](t, t.node, client.Path("rooms", id), nil)
			if err != nil {
				return err
			}
			return t.one(r)
		})}
}

func addRoom(c *connection) *cobra.Command {
	var in v1.NewRoom
	var settings roomFlags
	cmd := &cobra.Command{Use: "add NAME", Short: "Add a room", Args: cobra.ExactArgs(1),
		Long:    "Adds a room. Codes that are not given are random ones that nobody has.",
		Example: "  node rooms add \"Sales\" --account conf1234 --moderated --end-grace 60",
		RunE: c.run(func(t task) error {
			in.Name, in.RoomSettings = t.args[0], settings.given(t)
			var r v1.Room
			if err := client.Send(t, t.node, http.MethodPost, "/rooms", in, &r); err != nil {
				return err
			}
			return t.one(r)
		})}
	f := cmd.Flags()
	f.StringVar(&in.Account, "account", "", "`ACCOUNT` that pays: id or name")
	f.StringVar(&in.CodeSpace, "code-space", "", "which access numbers lead here; not needed where there is only one")
	f.IntVar(&in.CodeDigits, "code-digits", 6, "length of random codes, 4 to 12")
	settings.flags(cmd)
	_ = cmd.MarkFlagRequired("account") // the flag is there
	return cmd
}

func editRoom(c *connection) *cobra.Command {
	var name string
	var settings roomFlags
	cmd := &cobra.Command{Use: "edit ROOM", Short: "Change a room, given by id or name", Args: cobra.ExactArgs(1),
		Long: "Changes what flags are given for. A conference that goes on keeps the settings that it\nbegan with; codes count at once.",
		Example: `  node rooms edit "Demo room" --guest-code 445566 --max-participants 20
  node rooms edit Sales --key '*6=mute-self' --key '##=leave'`,
		RunE: c.run(func(t task) error {
			id, err := t.room(t.args[0])
			if err != nil {
				return err
			}
			var r v1.Room
			edit := v1.RoomEdit{Name: given(t, "name", &name), RoomSettings: settings.given(t)}
			if err := client.Send(t, t.node, http.MethodPatch, client.Path("rooms", id), edit, &r); err != nil {
				return err
			}
			return t.one(r)
		})}
	cmd.Flags().StringVar(&name, "name", "", "new name")
	settings.flags(cmd)
	return cmd
}

func removeRoom(c *connection) *cobra.Command {
	return &cobra.Command{Use: "remove ROOM", Short: "Remove a room, given by id or name", Args: cobra.ExactArgs(1),
		Long: "Removes a room. Its codes are free at once; its past conferences and usage records stay.\nA room in use is not removed: end its conference first.",
		RunE: c.run(func(t task) error {
			id, err := t.room(t.args[0])
			if err != nil {
				return err
			}
			if err := client.Send(t, t.node, http.MethodDelete, client.Path("rooms", id), nil, nil); err != nil {
				return err
			}
			t.done("removed the room %s", t.args[0])
			return nil
		})}
}

// roomFlags are the flags of a room's settings.
type roomFlags struct {
	hostCode, guestCode, homeSite, guestRole, entry, exit, language string
	moderated, count, music                                         bool
	endGrace, lostGrace, maxParticipants                            int
	keys                                                            map[string]string
	recording                                                       recordingFlags
}

// recordingFlags are those of its settings that are about recordings.
type recordingFlags struct {
	mode, format     string
	tracks, announce bool
	retention        int
}

func (r *recordingFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.mode, "record", "", "off, on-demand (by moderators' key, and the API) or always")
	f.StringVar(&r.format, "record-format", "", "wav or ogg")
	f.BoolVar(&r.tracks, "record-tracks", false, "each participant in a file of its own too")
	f.BoolVar(&r.announce, "record-announce", true, "tell the participants; not to is against the law in many countries")
	f.IntVar(&r.retention, "record-retention", 0, "`DAYS` that recordings are kept after their end; 0: the node's default")
}

// given are the settings whose flags were given; nil: none.
func (r *recordingFlags) given(t task) *v1.RoomRecordingEdit {
	edit := v1.RoomRecordingEdit{Mode: given(t, "record", &r.mode), Format: given(t, "record-format", &r.format), Tracks: given(t, "record-tracks", &r.tracks),
		Announce: given(t, "record-announce", &r.announce), RetentionDays: given(t, "record-retention", &r.retention)}
	if edit == (v1.RoomRecordingEdit{}) {
		return nil
	}
	return &edit
}

func (r *roomFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.hostCode, "host-code", "", "4 to 12 digits: moderators key it in")
	f.StringVar(&r.guestCode, "guest-code", "", "4 to 12 digits: guests key it in")
	f.StringVar(&r.homeSite, "home-site", "", "`SITE` where the conference runs when all is well")
	f.BoolVar(&r.moderated, "moderated", false, "guests wait with music until a moderator is in")
	f.IntVar(&r.endGrace, "end-grace", 0, "`SECONDS` that a moderated conference goes on after its last moderator left")
	f.IntVar(&r.lostGrace, "lost-grace", 0, "`SECONDS` likewise after its last moderator could no longer be reached; 0: it goes on")
	f.IntVar(&r.maxParticipants, "max-participants", 0, "0: no limit of the room's own")
	f.StringVar(&r.guestRole, "guest-role", "", "speaker, listen-only or moderator")
	f.StringVar(&r.entry, "entry-sound", "", "none, tone or name")
	f.StringVar(&r.exit, "exit-sound", "", "none, tone or name")
	f.BoolVar(&r.count, "announce-count", true, "tell who joins how many are in")
	f.BoolVar(&r.music, "music", true, "music while alone or waiting")
	f.StringToStringVar(&r.keys, "key", nil, "`KEYS=ACTION`, such as *6=mute-self; all keys that the room is to have")
	f.StringVar(&r.language, "language", "", "of the prompts, such as en")
	r.recording.flags(cmd)
}

// given are the settings whose flags were given.
func (r *roomFlags) given(t task) v1.RoomSettings {
	return v1.RoomSettings{
		HostCode: given(t, "host-code", &r.hostCode), GuestCode: given(t, "guest-code", &r.guestCode),
		HomeSite: given(t, "home-site", &r.homeSite), Moderated: given(t, "moderated", &r.moderated),
		EndGraceSeconds: given(t, "end-grace", &r.endGrace), LostGraceSeconds: given(t, "lost-grace", &r.lostGrace),
		MaxParticipants: given(t, "max-participants", &r.maxParticipants), GuestRole: given(t, "guest-role", &r.guestRole),
		EntrySound: given(t, "entry-sound", &r.entry), ExitSound: given(t, "exit-sound", &r.exit),
		AnnounceCount: given(t, "announce-count", &r.count), Music: given(t, "music", &r.music),
		Keys: given(t, "key", &r.keys), Language: given(t, "language", &r.language),
		Recording: r.recording.given(t),
	}
}
