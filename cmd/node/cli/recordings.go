package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func recordingsCommand() *cobra.Command {
	return group("recordings", "Record conferences; see, download and remove recordings", `A recording is of one conference. It has numbered segments: another one begins when the
conference is moved to another node. Its files stay at the nodes that wrote them, and are
downloaded from any node.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listRecordings(c), showRecording(c), startRecording(c), stopRecording(c), downloadRecording(c), removeRecording(c)}
		})
}

func listRecordings(c *connection) *cobra.Command {
	var room, conference string
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "List recordings", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			q := newQuery()
			if room != "" {
				id, err := t.room(room)
				if err != nil {
					return err
				}
				q.add("room", id)
			}
			if conference != "" {
				id, err := t.conference(conference)
				if err != nil {
					return err
				}
				q.add("conference", id)
			}
			return table(t.printer, limited[v1.Recording](t, "/recordings", q, limit), "ID ROOM STARTED STOPPED FORMAT TRACKS BY REASON",
				func(r v1.Recording) []any {
					return []any{r.ID, r.RoomName, r.StartedAt, r.StoppedAt, r.Format, r.Tracks, r.StartedBy, r.Reason}
				})
		})}
	cmd.Flags().StringVar(&room, "room", "", "only those of a `ROOM`, given by id or name")
	cmd.Flags().StringVar(&conference, "conference", "", "only those of a `CONFERENCE`, given by id or, while it goes on, by the name of its room")
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

func showRecording(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show RECORDING", Short: "Show a recording and its segments", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			r, err := client.Get[v1.RecordingDetail](t, t.node, client.Path("recordings", t.args[0]), nil)
			if err != nil {
				return err
			}
			if t.json {
				return t.encode(r)
			}
			if err := t.one(r.Recording); err != nil {
				return err
			}
			fmt.Fprintf(t.w, "\nsegments (%d)\n", len(r.Segments))
			return table(t.printer, each(r.Segments), "NUMBER SITE NODE STARTED SECONDS OCTETS GAPS TRACKS REASON DETAIL", func(s v1.RecordingSegment) []any {
				return []any{s.Number, s.Node.Site, s.Node.Node, s.StartedAt, s.LengthSeconds, s.Octets, s.Gaps, len(s.Tracks), s.Reason, s.Detail}
			})
		})}
}

func startRecording(c *connection) *cobra.Command {
	var in v1.NewRecording
	tracks := false
	cmd := &cobra.Command{Use: "start CONFERENCE", Short: "Have a conference recorded", Args: cobra.ExactArgs(1),
		Long:    "Has a conference recorded that goes on. The participants hear so, unless the room's\nsettings say otherwise.",
		Example: "  node recordings start \"Demo room\" --tracks",
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			in.Tracks = given(t, "tracks", &tracks)
			if err := client.Send(t, t.node, http.MethodPost, client.Path("conferences", id, "recording"), in, nil); err != nil {
				return err
			}
			t.done("%s is being recorded", t.args[0])
			return nil
		})}
	cmd.Flags().StringVar(&in.Format, "format", "", "wav or ogg; left out: as the room's settings say")
	cmd.Flags().BoolVar(&tracks, "tracks", false, "each participant in a file of its own too; left out: as the room's settings say")
	return cmd
}

func stopRecording(c *connection) *cobra.Command {
	return &cobra.Command{Use: "stop CONFERENCE", Short: "End a conference's recording", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			if err := client.Send(t, t.node, http.MethodDelete, client.Path("conferences", id, "recording"), nil, nil); err != nil {
				return err
			}
			t.done("%s is not recorded any more", t.args[0])
			return nil
		})}
}

func downloadRecording(c *connection) *cobra.Command {
	var dir string
	var tracks bool
	cmd := &cobra.Command{Use: "download RECORDING", Short: "Download the files of a recording", Args: cobra.ExactArgs(1),
		Long: "Downloads each segment into a file of its own, RECORDING-NUMBER.wav or .ogg; with --tracks\nthe participants' own files too.",
		RunE: c.run(func(t task) error {
			r, err := client.Get[v1.RecordingDetail](t, t.node, client.Path("recordings", t.args[0]), nil)
			if err != nil {
				return err
			}
			for _, s := range r.Segments {
				whose := []string{""}
				if tracks {
					whose = append(whose, s.Tracks...)
				}
				for _, participant := range whose {
					if err := download(t, dir, r.Recording, s, participant); err != nil {
						return err
					}
				}
			}
			return nil
		})}
	cmd.Flags().StringVar(&dir, "dir", ".", "`DIRECTORY` to write to")
	cmd.Flags().BoolVar(&tracks, "tracks", false, "the participants' own files too")
	return cmd
}

// download writes one file, which must not be there yet. One that breaks off is removed.
func download(t task, dir string, r v1.Recording, s v1.RecordingSegment, participant string) (err error) {
	q, name := url.Values{}, fmt.Sprintf("%s-%03d", r.ID, s.Number)
	if participant != "" {
		q.Set("participant", participant)
		name += "-" + participant
	}
	name = filepath.Join(dir, name+"."+r.Format)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("download segment %d: %w; choose another place with --dir", s.Number, err)
	}
	err = t.node.Stream(t, client.Path("recordings", r.ID, "segments", s.ID, "audio"), q, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("download segment %d: %w", s.Number, err), os.Remove(name))
	}
	t.done("%s", name)
	return nil
}

func removeRecording(c *connection) *cobra.Command {
	return &cobra.Command{Use: "remove RECORDING", Short: "Remove a recording and its files", Args: cobra.ExactArgs(1),
		Long: "Removes a recording. Nobody sees it any more; each node that has files of it removes them\nwithin a minute, or when it is back.",
		RunE: c.run(func(t task) error {
			if err := client.Send(t, t.node, http.MethodDelete, client.Path("recordings", t.args[0]), nil, nil); err != nil {
				return err
			}
			t.done("removed the recording %s", t.args[0])
			return nil
		})}
}
