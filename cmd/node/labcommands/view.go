package labcommands

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// write draws a view for people.
func (v view) write(out io.Writer) error {
	fmt.Fprintf(out, "%s  lab %s in %s\n\n", clock(time.Now()), v.ID, v.dir)
	for _, part := range []func(io.Writer){v.writeSites, v.writeLinks, v.writeConferences, v.writeCalls} {
		t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		part(t)
		fmt.Fprintln(t)
		if err := t.Flush(); err != nil {
			return fmt.Errorf("write the status: %w", err)
		}
	}
	return nil
}

// writeSites tells of each site its nodes, and what it thinks of the others.
func (v view) writeSites(w io.Writer) {
	fmt.Fprintln(w, "SITE\tITS ROOM\tNODES\tTHINKS OF OTHERS")
	for _, s := range v.Seen {
		var nodes []string
		for _, n := range v.Nodes {
			if n.Site == s.Site {
				nodes = append(nodes, n.Name+" "+nodeState(n))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Site, v.code(s.Site), strings.Join(nodes, ", "), verdicts(s))
	}
}

// verdicts are what a site thinks of the others.
func verdicts(s siteView) string {
	var words []string
	for _, o := range s.Verdicts {
		word := o.Site + " " + o.Verdict
		if o.Mode != "auto" {
			word += ", forced"
		}
		if o.Verdict != "up" {
			word += " since " + clock(o.Since)
		}
		words = append(words, word)
	}
	if s.Error != "" {
		words = append(words, "its API: "+plain(s.Error))
	}
	return strings.Join(words, "; ")
}

// code is that of the room whose home a site is.
func (v view) code(site string) string {
	for _, r := range v.has.Rooms {
		if r.Home == site {
			return r.Code
		}
	}
	return ""
}

// nodeState is what people call it.
func nodeState(n lab.NodeStatus) string {
	switch {
	case n.State == "ended":
		return "DEAD"
	case n.State == "paused":
		return "FROZEN"
	case !n.Ready:
		return "not ready"
	}
	return "ready"
}

// writeLinks writes a line for a link, or two if its directions differ.
func (v view) writeLinks(w io.Writer) {
	fmt.Fprintln(w, "LINK\tSTATE")
	of := map[wan.Link]string{}
	for _, s := range v.Links {
		of[s.Link] = stateText(s)
	}
	for _, s := range v.Links {
		switch back := of[s.Reverse()]; {
		case back != of[s.Link]:
			fmt.Fprintf(w, "%s\t%s\n", s.Link, of[s.Link])
		case s.From < s.To:
			fmt.Fprintf(w, "%s ↔ %s\t%s\n", s.From, s.To, of[s.Link])
		}
	}
}

// writeConferences tells which conferences each site knows of.
func (v view) writeConferences(w io.Writer) {
	fmt.Fprintln(w, "SEEN FROM\tCONFERENCE\tHOSTED BY\tSINCE\tCALLERS")
	some := false
	for _, s := range v.Seen {
		for _, c := range s.Conferences {
			some = true
			fmt.Fprintf(w, "%s\t%s, %s\t%s\t%s\t%s\n", s.Site, plain(c.RoomName), c.Kind, plain(c.Focus.Node), clock(c.StartedAt), callers(c))
		}
	}
	if !some {
		fmt.Fprintln(w, "none")
	}
}

func callers(c conference) string {
	if c.Error != "" {
		return "not known: " + plain(c.Error)
	}
	var names []string
	for _, m := range c.Participants {
		name := plain(m.Caller)
		if m.Muted || m.MutedByModerator {
			name += " (muted)"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "-"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// writeCalls tells what the lab's callers hear.
func (v view) writeCalls(w io.Writer) {
	fmt.Fprintln(w, "CALLER\tTO\tKEYED\tSINCE\tSAYS\tHEARS")
	for _, c := range v.Calls {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", plain(c.From), c.Node, c.Keys, clock(c.Since), hertz([]int{c.Tone}), hearsText(c))
	}
	if len(v.Calls) == 0 {
		fmt.Fprintln(w, "none")
	}
}

func hearsText(c lab.CallStatus) string {
	if c.Silent >= silentFrom {
		return "no audio at all for " + seconds(c.Silent)
	}
	return hertz(c.Hears)
}

// hertz lists tones; 0 is none.
func hertz(tones []int) string {
	var words []string
	for _, hz := range tones {
		if hz > 0 {
			words = append(words, strconv.Itoa(hz))
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ") + " Hz"
}

// plain is text that does nothing to a terminal: callers choose some of it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
