package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func conferenceQuality(c *connection) *cobra.Command {
	return &cobra.Command{Use: "quality CONFERENCE", Short: "Show how well everyone is heard, and hears", Args: cobra.ExactArgs(1),
		Long: `Shows the media of those who are in, as it was in the last seconds: IN is what is heard of
the caller, OUT what the caller hears, by its telephone's reports. LOSS counts packets that
came too late, too; DELAY is one way; MOS is by the E-model, from 1 to 4.5.`,
		RunE: c.run(func(t task) error {
			id, err := t.conference(t.args[0])
			if err != nil {
				return err
			}
			list := client.List[v1.Participant](t, t.node, client.Path("conferences", id, "participants"), nil)
			return table(t.printer, list, "CALLER CODEC WAY IN-LOSS IN-JITTER IN-DELAY IN-MOS OUT-LOSS OUT-JITTER OUT-DELAY OUT-MOS", qualityRow)
		})}
}

func qualityRow(p v1.Participant) []any {
	if p.Media == nil {
		p.Media = &v1.ParticipantMedia{}
	}
	row := append([]any{p.Caller, p.Media.Codec, p.Media.Way}, directionColumns(p.Media.Inbound)...)
	return append(row, directionColumns(p.Media.Outbound)...)
}

// directionColumns are empty where nothing is known.
func directionColumns(d *v1.MediaDirection) []any {
	if d == nil || d.RatedSeconds == 0 {
		return []any{"", "", "", ""}
	}
	return []any{fmt.Sprintf("%.1f%%", 100*d.Loss), fmt.Sprintf("%.0fms", d.JitterMs), fmt.Sprintf("%.0fms", d.DelayMs), fmt.Sprintf("%.2f", d.MOS)}
}
