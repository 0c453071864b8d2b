package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Operator is who runs a lab's cluster, by the program's own commands.
type Operator struct {
	program string
	dir     string // of the authority and of the nodes' certificates
	token   string // for the API
}

// Cluster completes a spec that has a database: the nodes of all its sites are one
// cluster of the program at a path, made from nothing by its commands. flags are added
// to the command line of each node.
func Cluster(spec Spec, program string, flags ...string) (Spec, *Operator) {
	o := &Operator{program: program, dir: filepath.Join(spec.Dir, "cluster")}
	spec.Prepare = o.prepare
	spec.Command = func(p Plan, n Node) Command {
		return Command{Path: program, Args: append(o.arguments(p, n), flags...)}
	}
	return spec, o
}

// arguments are a node's. Each site's nodes are its founders, and all look for the
// first.
func (o *Operator) arguments(p Plan, n Node) []string {
	var founders []string
	nodes := p.Nodes()
	for _, other := range nodes {
		if other.Site == n.Site {
			founders = append(founders, other.Name)
		}
	}
	args := []string{"run", "--data", n.Dir, "--store", p.Database, "--sip", n.At(SIPPort).String(), "--http", n.At(HTTPPort).String(),
		"--rtp", fmt.Sprintf("%d-%d", FirstRTPPort, LastRTPPort), "--cluster-dir", filepath.Join(o.dir, n.Name),
		"--cluster", n.At(ClusterPort).String(), "--founders", strings.Join(founders, ","),
		"--max-media-load", "0"} // all nodes and callers share one machine, on which audio is late at times
	if n.Name != nodes[0].Name {
		args = append(args, "--join", nodes[0].At(ClusterPort).String())
	}
	return args
}

var secret = regexp.MustCompile(`cv_\w+`)

// prepare makes the tables, the authority, and the certificates of all nodes.
func (o *Operator) prepare(ctx context.Context, l *Lab) error {
	site := l.Sites[0].Name // any will do: it reaches the database
	out, err := l.Run(ctx, site, Command{Path: o.program, Args: []string{"init", "--store", l.Database}})
	if err != nil {
		return err
	}
	if o.token = secret.FindString(out); o.token == "" {
		return fmt.Errorf("node init has told no token: %s", out)
	}
	authority := filepath.Join(o.dir, "authority")
	commands := [][]string{{"cluster", "init", "--dir", authority, "--name", "lab"}}
	for _, n := range l.Nodes() {
		commands = append(commands, []string{"cluster", "add", "--dir", authority, "--out", filepath.Join(o.dir, n.Name), n.Site, n.Name})
	}
	for _, args := range commands {
		if _, err := l.Run(ctx, site, Command{Path: o.program, Args: args}); err != nil {
			return err
		}
	}
	return nil
}

// Token is the operator's, for the API of any node.
func (o *Operator) Token() string { return o.token }

// Do runs a command of the program, such as "rooms", "list", by a node's API, from where
// the callers of its site live, and returns what it printed.
func (o *Operator) Do(ctx context.Context, l *Lab, node string, args ...string) (string, error) {
	p, err := l.Node(node)
	if err != nil {
		return "", err
	}
	return l.Run(ctx, p.Site, Command{Path: o.program, Args: args, Env: []string{"CONCLAVE_API=" + p.URL(), "CONCLAVE_TOKEN=" + o.token}})
}

// Open makes what callers need, by a node that is ready: an account, an access number,
// and a rule that trusts all callers of the lab.
func (o *Operator) Open(ctx context.Context, l *Lab, node, number string) error {
	for _, args := range [][]string{
		{"customers", "add", "Lab"},
		{"tariffs", "add", "Lab", "--currency", "EUR"},
		{"tariffs", "set-rate", "Lab", "0.05", "--first", "60", "--next", "1"},
		{"accounts", "add", "lab", "--customer", "Lab", "--tariff", "Lab", "--balance", "10000.00"},
		{"numbers", "add", number},
		{"rules", "add", "trust", "--position", "10", "--source", "10.0.0.0/8"},
	} {
		if _, err := o.Do(ctx, l, node, args...); err != nil {
			return err
		}
	}
	return nil
}

// AddRoom makes a room whose home is a site, after Open. It has no sound of entry and
// exit, which would disturb those who listen for tones. Flags are those of "node rooms
// add".
func (o *Operator) AddRoom(ctx context.Context, l *Lab, node, home, code string, flags ...string) error {
	_, err := o.Do(ctx, l, node, append([]string{"rooms", "add", "Room " + code, "--account", "lab", "--guest-code", code, "--home-site", home,
		"--entry-sound", "none", "--exit-sound", "none", "--announce-count=false"}, flags...)...)
	return err
}
