package labcommands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// linkFlags say what of a link is meant.
type linkFlags struct {
	oneWay bool
	only   string
}

func (f *linkFlags) flags(cmd *cobra.Command) {
	var classes []string
	for _, c := range lab.Classes() {
		classes = append(classes, c.Name)
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&f.oneWay, "one-way", false, "only what goes from the first site to the second")
	cmd.Flags().StringVar(&f.only, "only", "", "only this `KIND` of traffic: "+strings.Join(classes, ", "))
}

// directions are those of links.
func (f *linkFlags) directions(links []wan.Link) (all []wan.Link) {
	for _, l := range links {
		all = append(all, l)
		if !f.oneWay {
			all = append(all, l.Reverse())
		}
	}
	return all
}

func cutCommand(d *directory) *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use:   "cut SITE [SITE]",
		Short: "Cut two sites off from each other, or one from all others",
		Long: `Drops every packet between two sites, in both directions, until node lab heal; what is
under way is dropped too. The place of the database, db, is a site in this.`,
		Example: `  node lab cut a b
  node lab cut a b --one-way       # b does not hear a, a hears b
  node lab cut c                   # alone in the world, without the database too
  node lab cut a db
  node lab cut a b --only sip`,
		Args: words(1, 2, "name two sites, or one that is cut off from all others; node lab status lists them"),
		RunE: running(d, func(cmd *cobra.Command, args []string, c *lab.Client) error {
			return f.change(cmd, args, c, "cut", c.Cut)
		}),
	}
	f.flags(cmd)
	return cmd
}

func healCommand(d *directory) *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use:   "heal [SITE [SITE]]",
		Short: "Take back all cuts, or those around a site or between two",
		Long: `Takes cuts back, those of single kinds of traffic too. What node lab link has set stays.
The nodes trust a link again only when it has been there for a while, 15 s and more.`,
		Example: "  node lab heal\n  node lab heal a b",
		Args:    words(0, 2, "name two sites, one, or none for all cuts"),
		RunE: running(d, func(cmd *cobra.Command, args []string, c *lab.Client) error {
			return f.change(cmd, args, c, "healed", c.Heal)
		}),
	}
	f.flags(cmd)
	return cmd
}

// linkChanger is a command of the lab for one direction.
type linkChanger func(context.Context, lab.LinkChange) error

// change does something to all directions that sites and flags name, and says so.
func (f *linkFlags) change(cmd *cobra.Command, args []string, c *lab.Client, done string, do linkChanger) error {
	links, err := findLinks(c.State().Plan, args)
	if err != nil {
		return err
	}
	what := ""
	if f.only != "" {
		what = " for " + f.only
	}
	for _, l := range f.directions(links) {
		if err := do(cmd.Context(), lab.LinkChange{Link: l, OneWay: true, Class: f.only}); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s%s\n", l, done, what)
	}
	return nil
}

func linkCommand(d *directory) *cobra.Command {
	var f linkFlags
	w := newImpairmentFlags()
	cmd := &cobra.Command{
		Use:   "link SITE SITE",
		Short: "Set delay, loss and more of the link between two sites, or show it",
		Long: `Sets what the link between two sites does to packets; what no flag is given for stays as it
is. Without any flag it says how the link is. Everything counts for each direction.`,
		Example: `  node lab link a b --delay 80ms --jitter 10ms --loss 5%
  node lab link a b --one-way --rate 256kbit
  node lab link a b --only rtp --reorder 10%
  node lab link a b --perfect
  node lab link a b`,
		Args: words(2, 2, "name two sites; node lab status lists them"),
		RunE: running(d, func(cmd *cobra.Command, args []string, c *lab.Client) error { return f.impair(cmd, args, c, w) }),
	}
	w.flags(cmd)
	f.flags(cmd)
	return cmd
}

// impair changes what flags were given for, in each direction by itself.
func (f *linkFlags) impair(cmd *cobra.Command, args []string, c *lab.Client, w *impairmentFlags) error {
	if w.perfect && w.given(cmd) {
		return errors.New("--perfect takes everything away: give it alone")
	}
	links, err := findLinks(c.State().Plan, args)
	if err != nil {
		return err
	}
	status, err := c.Status(cmd.Context())
	if err != nil {
		return err
	}
	for _, l := range f.directions(links) {
		change := lab.LinkChange{Link: l, OneWay: true, Class: f.only, Impairment: impairmentOf(status.Links, l, f.only)}
		switch {
		case w.perfect:
			err = c.Clear(cmd.Context(), change)
		case w.given(cmd):
			w.apply(cmd, &change.Impairment)
			err = c.Impair(cmd.Context(), change)
		}
		if err != nil {
			return err
		}
	}
	if status, err = c.Status(cmd.Context()); err != nil {
		return err
	}
	for _, l := range f.directions(links) {
		for _, s := range status.Links {
			if s.Link == l {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", l, stateText(s))
			}
		}
	}
	return nil
}

// impairmentOf is what a direction does to a class of packets now, or to all.
func impairmentOf(states []wan.State, l wan.Link, class string) wan.Impairment {
	for _, s := range states {
		if s.Link != l {
			continue
		}
		if own, has := s.Classes[class]; has {
			return own
		}
		return s.Impairment
	}
	return wan.Impairment{}
}
