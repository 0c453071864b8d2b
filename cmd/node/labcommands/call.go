package labcommands

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// callFlags are those of `node lab call`.
type callFlags struct {
	site, node, code, number, from string
	tone                           int
	hold                           time.Duration
}

func callCommand(d *directory) *cobra.Command {
	var f callFlags
	cmd := &cobra.Command{
		Use:   "call",
		Short: "Call a room, speak a tone, and say which tones are heard",
		Long: `Has a caller at a site call a node there, key in a code and speak a tone, until Ctrl-C or
for the time that --for gives. Each caller has a tone of its own, so the tones that it
hears are the others in its conference. It says at once what begins and what ends, and at
the end how long each tone was heard, and how long it was away.`,
		Example: `  node lab call --site a --code 123456
  node lab call --site b --code 123456 --tone 700 --for 1m
  node lab call --site b --node b-2 --code 123456 --tone 0      # says nothing`,
		Args: cobra.NoArgs,
		RunE: running(d, func(cmd *cobra.Command, _ []string, c *lab.Client) error { return f.run(cmd, d, c) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.site, "site", "", "`SITE` that the caller is at")
	flags.StringVar(&f.code, "code", "", "`DIGITS` of a room; # is keyed after them")
	flags.IntVar(&f.tone, "tone", 0, "`HZ`, 300 to 3400, that the caller speaks; 0: nothing (default one that nobody speaks)")
	flags.DurationVar(&f.hold, "for", 0, "`TIME` until the caller hangs up; 0: at Ctrl-C")
	flags.StringVar(&f.node, "node", "", "`NODE` that is called (default the first of the site that is ready)")
	flags.StringVar(&f.number, "number", "", "`NUMBER` that is dialled (default that of the lab)")
	flags.StringVar(&f.from, "from", "", "calling `NUMBER` (default SITE-TONE)")
	return cmd
}

func (f *callFlags) run(cmd *cobra.Command, d *directory, c *lab.Client) error {
	request, err := f.request(cmd, d, c)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	says := "says nothing"
	if request.Tone > 0 {
		says = fmt.Sprintf("says %d Hz", request.Tone)
	}
	fmt.Fprintf(out, "%s calls %s as %s, keys %s and %s\n", request.Site, request.Node, request.From, request.Keys, says)
	report, err := follow(cmd.Context(), c, request, out)
	if err != nil {
		return fmt.Errorf("call %s from %s: %w", request.Node, request.Site, err)
	}
	summarize(out, report)
	return nil
}

// request is the call that flags want, in a lab that runs.
func (f *callFlags) request(cmd *cobra.Command, d *directory, c *lab.Client) (lab.CallRequest, error) {
	r := lab.CallRequest{ID: rand.Text(), Number: f.number, From: f.from, Keys: strings.TrimSuffix(f.code, "#") + "#", Tone: f.tone, Hold: f.hold}
	has, err := d.read()
	if err != nil {
		return r, err
	}
	switch plan := c.State().Plan; {
	case f.site == "":
		return r, fmt.Errorf("say with --site where the caller is: %s", strings.Join(homes(plan), ", "))
	case f.code == "":
		return r, fmt.Errorf("say with --code what the caller keys: %s", codes(has))
	case f.hold < 0:
		return r, fmt.Errorf("--for %v: a time cannot be negative", f.hold)
	case f.hold == 0:
		r.Hold = math.MaxInt64 // until it is hung up
	}
	site, err := findSite(c.State().Plan, f.site)
	if err != nil {
		return r, err
	}
	node, err := pick(cmd.Context(), c, site, f.node)
	if err != nil {
		return r, err
	}
	r.Site, r.Node = site.Name, node.Name
	if r.Number == "" {
		r.Number = has.Number
	}
	calls, err := c.Calls(cmd.Context())
	if err != nil {
		return r, err
	}
	if !cmd.Flags().Changed("tone") {
		r.Tone = freeTone(calls)
	}
	if r.From == "" {
		r.From = fmt.Sprintf("%s-%d", r.Site, r.Tone)
	}
	return r, checkTone(r.Tone, calls)
}

func codes(has furnished) string {
	var words []string
	for _, r := range has.Rooms {
		words = append(words, fmt.Sprintf("%s (the room of %s)", r.Code, r.Home))
	}
	return strings.Join(words, ", ")
}

// pick is the node that is called: the one that is named, or the first of the site that
// is ready.
func pick(ctx context.Context, c *lab.Client, site lab.Site, name string) (lab.Node, error) {
	if name != "" {
		return findNode(c.State().Plan, name)
	}
	status, err := c.Status(ctx)
	if err != nil {
		return lab.Node{}, err
	}
	for _, n := range status.Nodes {
		if n.Site == site.Name && n.Ready {
			return n.Node, nil
		}
	}
	if len(site.Nodes) == 0 {
		return lab.Node{}, fmt.Errorf("site %s has no nodes: name one of another site with --node", site.Name)
	}
	return lab.Node{}, fmt.Errorf("no node of %[1]s is ready (node lab status tells why): start one (node lab start %[1]s) or name one with --node", site.Name)
}

// apart is how far tones are from each other at least, so that callers tell them apart.
const apart = 100 // Hz

func checkTone(hz int, calls []lab.CallStatus) error {
	if hz == 0 {
		return nil
	}
	if hz < 300 || hz > 3400 {
		return fmt.Errorf("--tone %d: a telephone carries 300 to 3400 Hz; 0 is silence", hz)
	}
	for _, c := range calls {
		if near(c, hz) {
			return fmt.Errorf("--tone %d: another caller, %s, speaks %d Hz, and tones are told apart from %d Hz on: take %d, which is free", hz, c.From, c.Tone, apart, freeTone(calls))
		}
	}
	return nil
}

func near(c lab.CallStatus, hz int) bool { return c.Tone > 0 && max(c.Tone-hz, hz-c.Tone) < apart }

// freeTone is one that no call is near to; silence if there is none.
func freeTone(calls []lab.CallStatus) int {
	candidates := []int{}
	for n := range 9 {
		candidates = append(candidates, int(tone.Caller(n)))
	}
	for hz := 300; hz <= 3400; hz += apart {
		candidates = append(candidates, hz)
	}
	i := slices.IndexFunc(candidates, func(hz int) bool {
		return !slices.ContainsFunc(calls, func(c lab.CallStatus) bool { return near(c, hz) })
	})
	if i < 0 {
		return 0
	}
	return candidates[i]
}
