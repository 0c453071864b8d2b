package labcommands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// number is the access number of a lab, as of `node dev`.
const number = "18665552637"

func atoi(s string) (int, error) { return strconv.Atoi(strings.TrimSpace(s)) }

// furnish makes what callers need, and a room at each site. The rooms play no music to
// those who are alone, so that what callers hear are the others.
func furnish(ctx context.Context, o *lab.Operator, l *lab.Lab) (rooms []room, err error) {
	first := l.Nodes()[0].Name
	if err := o.Open(ctx, l, first, number); err != nil {
		return nil, fmt.Errorf("furnish the lab: %w", err)
	}
	for i, site := range homes(l.Plan) {
		r := room{Home: site, Code: code(i)}
		if err := o.AddRoom(ctx, l, first, r.Home, r.Code, "--music=false"); err != nil {
			return nil, fmt.Errorf("furnish the lab: %w", err)
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}

// code is that of the room of the nth site: 123456, 234567, and so on.
func code(n int) string {
	var b strings.Builder
	for i := range 6 {
		b.WriteByte(byte('0' + (n+1+i)%10))
	}
	return b.String()
}

// introduce says what there is and how to go on.
func introduce(p *progress, d *directory, plan lab.Plan, has furnished, delay time.Duration) {
	p.say("ready")
	t := tabwriter.NewWriter(p.out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "\nSITE\tNODES\tAPI\tCODE OF ITS ROOM")
	for _, r := range has.Rooms {
		site, err := plan.Site(r.Home)
		if err != nil {
			continue // the rooms were made at sites of the plan
		}
		var nodes []string
		for _, n := range site.Nodes {
			nodes = append(nodes, n.Name)
		}
		fmt.Fprintf(t, "%s\t%s\thttp://%s\t%s\n", site.Name, strings.Join(nodes, " "), site.Nodes[0].At(lab.HTTPPort), r.Code)
	}
	_ = t.Flush() // who cannot be told needs nothing
	here := d.flag()
	first, last := has.Rooms[0], has.Rooms[len(has.Rooms)-1]
	fmt.Fprintf(p.out, `
The database is at %s, %v from each site; sites are as far from one another.
The access number is %s, the API's token %s

Call a room from two sites, each in a terminal of its own, and look on:
  node lab call%[5]s --site %[6]s --code %[7]s
  node lab call%[5]s --site %[8]s --code %[7]s
  node lab status%[5]s --watch
Then break something, and mend it:
  node lab cut%[5]s %[6]s %[8]s
  node lab heal%[5]s
  node lab kill%[5]s %[6]s-1
  node lab start%[5]s %[6]s-1
Use the program's other commands, which find address and token there:
  node lab exec%[5]s %[6]s -- node conferences list
End it all:
  node lab down%[5]s
`, databaseSite, delay, has.Number, has.Token, here, first.Home, first.Code, last.Home)
}
