package certs

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cluster is an authority and directories that it made.
type cluster struct {
	*testing.T
	dir string
	now time.Time
}

func newCluster(t *testing.T, name string) *cluster {
	c := &cluster{T: t, dir: t.TempDir(), now: time.Now()}
	if err := Init(c.authority(), name, c.now); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) authority() string { return filepath.Join(c.dir, "authority") }

func (c *cluster) add(site, node string) string {
	c.Helper()
	out := filepath.Join(c.dir, node)
	if err := Add(c.authority(), out, Identity{Site: site, Node: node}, c.now); err != nil {
		c.Fatal(err)
	}
	return out
}

func (c *cluster) node(site, node string) *Bundle {
	c.Helper()
	b, err := Open(c.add(site, node))
	if err != nil {
		c.Fatal(err)
	}
	return b
}

// connect makes a connection from client to server, both of which may refuse, and
// returns who the server takes the client for.
func connect(t *testing.T, client, server *tls.Config) (Identity, error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type outcome struct {
		peer Identity
		err  error
	}
	served := make(chan outcome, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- outcome{err: err}
			return
		}
		defer conn.Close()
		_, err = io.ReadFull(conn, make([]byte, 1))
		var o outcome
		if o.err = err; err == nil {
			o.peer, o.err = PeerOf(conn.(*tls.Conn).ConnectionState())
		}
		served <- o
	}()
	conn, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		<-served
		return Identity{}, err
	}
	defer conn.Close()
	_, err = conn.Write([]byte{1})
	o := <-served
	return o.peer, errors.Join(o.err, err)
}

// SE2: nodes of one cluster know each other, and nobody else is let in.
func TestWhoIsLetIn(t *testing.T) {
	c, other := newCluster(t, "one"), newCluster(t, "one")
	a, b, far := c.node("west", "a"), c.node("west", "b"), c.node("east", "far")
	stranger := other.node("west", "b")
	for name, x := range map[string]struct {
		client, server *tls.Config
		want           string
	}{
		"any node":                    {a.ClientTLS(a.AnyNode()), far.ServerTLS(far.AnyNode()), ""},
		"of this site":                {a.ClientTLS(a.SameSite()), b.ServerTLS(b.SameSite()), ""},
		"of another site":             {far.ClientTLS(far.AnyNode()), b.ServerTLS(b.SameSite()), "of another site"},
		"another node than the one":   {a.ClientTLS(Only(far.Identity())), b.ServerTLS(b.AnyNode()), "is there, not"},
		"of another authority":        {stranger.ClientTLS(stranger.AnyNode()), a.ServerTLS(a.AnyNode()), "unknown authority"},
		"to one of another authority": {a.ClientTLS(a.AnyNode()), stranger.ServerTLS(stranger.AnyNode()), "unknown authority"},
		"nobody":                      {&tls.Config{InsecureSkipVerify: true}, a.ServerTLS(a.AnyNode()), "certificate"},
		"old TLS":                     {&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}, a.ServerTLS(a.AnyNode()), "version"},
	} {
		t.Run(name, func(t *testing.T) {
			peer, err := connect(t, x.client, x.server)
			if x.want == "" && (err != nil || peer != a.Identity()) {
				t.Errorf("%v %v", peer, err)
			}
			if x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
				t.Errorf("%v, want %q", err, x.want)
			}
		})
	}
}

// MS15: a node's certificate ends, and it is let in no longer.
func TestExpired(t *testing.T) {
	c := newCluster(t, "one")
	a := c.node("west", "a")
	c.now = time.Now().AddDate(-3, 0, 0)
	old := c.node("west", "old")
	if !old.Expiry().Before(time.Now()) {
		t.Fatal("not old")
	}
	if _, err := connect(t, old.ClientTLS(old.AnyNode()), a.ServerTLS(a.AnyNode())); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Error(err)
	}
}

// SE2: an authority is replaced while nodes run: for a while both are believed.
func TestAuthorityIsReplaced(t *testing.T) {
	before, after := newCluster(t, "one"), newCluster(t, "one")
	aDir := before.add("west", "a")
	a, err := Open(aDir)
	if err != nil {
		t.Fatal(err)
	}
	b := after.node("west", "b")
	try := func() error { _, err := connect(t, b.ClientTLS(b.AnyNode()), a.ServerTLS(a.AnyNode())); return err }
	if try() == nil {
		t.Fatal("a certificate of another authority was believed")
	}
	// Both believe both.
	both := read(t, filepath.Join(before.authority(), caCertFile)) + read(t, filepath.Join(after.authority(), caCertFile))
	for dir, bundle := range map[string]*Bundle{aDir: a, b.dir: b} {
		if err := os.WriteFile(filepath.Join(dir, caCertFile), []byte(both), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := bundle.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	if err := try(); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// OP1: each error names the file and what to do.
func TestErrorsNameTheFile(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(dir string) error
		want  []string
	}{
		"no directory":      {os.RemoveAll, []string{"node cluster add"}},
		"readable by all":   {func(d string) error { return os.Chmod(filepath.Join(d, keyFile), 0o644) }, []string{keyFile, "chmod 600"}},
		"no gossip key":     {func(d string) error { return os.Truncate(filepath.Join(d, gossipFile), 0) }, []string{gossipFile, "/dev/urandom"}},
		"a short key":       {func(d string) error { return os.WriteFile(filepath.Join(d, handoverFile), []byte("aGk=\n"), 0o600) }, []string{handoverFile, "line 1"}},
		"no authority":      {func(d string) error { return os.WriteFile(filepath.Join(d, caCertFile), []byte("x"), 0o600) }, []string{caCertFile, "PEM"}},
		"certificate of CA": {func(d string) error { return os.Rename(filepath.Join(d, caCertFile), filepath.Join(d, certFile)) }, []string{certFile}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newCluster(t, "one").add("west", "a")
			if err := x.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			for _, want := range x.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
}

// Nothing that exists is overwritten, and names that cannot be used are refused.
func TestInitAndAddAreCareful(t *testing.T) {
	c := newCluster(t, "one")
	c.add("west", "a")
	if err := Init(c.authority(), "two", c.now); err == nil || !strings.Contains(err.Error(), "authority already") {
		t.Error(err)
	}
	if err := Add(c.authority(), filepath.Join(c.dir, "a"), Identity{Site: "west", Node: "b"}, c.now); err == nil || !strings.Contains(err.Error(), "key already") {
		t.Error(err)
	}
	for _, bad := range []string{"", "A", "a.b", "a/b", "-a", strings.Repeat("a", 64)} {
		if err := Add(c.authority(), filepath.Join(c.dir, "new"), Identity{Site: "west", Node: bad}, c.now); err == nil {
			t.Errorf("node %q was accepted", bad)
		}
	}
	if err := Add(t.TempDir(), filepath.Join(c.dir, "x"), Identity{Site: "west", Node: "b"}, c.now); err == nil || !strings.Contains(err.Error(), "node cluster init") {
		t.Error(err)
	}
}

// A directory that becomes another node's is not taken over while the node runs.
func TestReloadKeepsTheIdentity(t *testing.T) {
	c := newCluster(t, "one")
	aDir, bDir := c.add("west", "a"), c.add("west", "b")
	a, err := Open(aDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{certFile, keyFile} {
		if err := os.WriteFile(filepath.Join(aDir, f), []byte(read(t, filepath.Join(bDir, f))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Reload(); err == nil || a.Identity().Node != "a" {
		t.Error(err)
	}
}
