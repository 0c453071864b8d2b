package cli

import (
	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/codec"
)

func codecsCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{Use: "codecs", Short: "Try the codecs of this machine, and say what is missing", Args: cobra.NoArgs,
		Long: `Lists the codecs that a node has when it is started here, and tries each. Some need a
library of the system: install it, and start the node again. No node needs to run; what one
that runs has is told by its API, at /api/v1/codecs.`,
		Example: "  node codecs\n  node codecs --json | jq '.[] | select(.available | not)'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := printer{w: cmd.OutOrStdout(), json: asJSON}
			return table(p, each(api.Codecs(codec.All(mixer.MaxRate, false))), "NAME RATE TYPE BACKEND AVAILABLE WHY-NOT", codecRow)
		}}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func codecRow(c v1.Codec) []any {
	payloadType := any(c.PayloadType)
	if c.PayloadType < 0 {
		payloadType = "dynamic"
	}
	return []any{c.Name, c.SampleRate, payloadType, c.Backend, c.Available, c.Reason}
}
