package settings

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/conclave-voice/conclave/cmd/node/server"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

// read reads settings as node run does.
func read(t *testing.T, file string, env map[string]string, args ...string) (server.Config, error) {
	t.Helper()
	c, l := server.Config{Site: "default", Heartbeat: time.Second}, Log{}
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	Bind(f, &c, &l)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	name := ""
	if file != "" {
		name = filepath.Join(t.TempDir(), "node.yaml")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := Read(f, name, func(v string) (string, bool) { s, ok := env[v]; return s, ok })
	return c, err
}

// OP1: a flag wins over the environment, that over the file, that over the default.
func TestWhoWins(t *testing.T) {
	c, err := read(t, "site: file\nnode: file\nmax-calls: 5\nmedia-timeout: 2m\n# a comment\n",
		map[string]string{"CONCLAVE_SITE": "environment", "CONCLAVE_NODE": "environment", "CONCLAVE_SOMETHING": "x"}, "--site", "flag")
	if err != nil || c.Site != "flag" || c.Node != "environment" || c.MaxCalls != 5 || c.MediaTimeout != 2*time.Minute || c.Heartbeat != time.Second {
		t.Errorf("%+v, %v", c, err)
	}
}

// OP1: every error names the key, the value, where it is, and the fix; all are told at once.
func TestErrorsNameKeyValueAndFix(t *testing.T) {
	_, err := read(t, "max-call: 5\nmax-calls: many\nheartbeat: 5\nsite: [a, b]\nnode: x\nnode: y\ncolour: red\n",
		map[string]string{"CONCLAVE_MAX_PARTICIPANTS": "-"})
	if err == nil {
		t.Fatal("it was read")
	}
	for _, want := range []string{
		`node.yaml, line 1: max-call: there is no such key; did you mean max-calls?`,
		`line 2: max-calls: "many": write a whole number`,
		`line 3: heartbeat: "5": write a time with its unit`,
		`line 4: site: write one value`,
		`line 6: node: it is there twice`,
		`line 7: colour: there is no such key; the keys are in docs/configuration.md`,
		`CONCLAVE_MAX_PARTICIPANTS: "-": write a whole number`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q:\n%v", want, err)
		}
	}
	for name, file := range map[string]string{"a list": "- a\n", "no YAML": "a: b: c\n\t", "text": "hello"} {
		if _, err := read(t, file, nil); err == nil || !strings.Contains(err.Error(), "node.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := read(t, "\n# nothing\n", nil); err != nil {
		t.Error(err)
	}
}

// OP1: docs/configuration.md is what the program does. After a change: go test -update.
func TestDocumentIsTrue(t *testing.T) {
	const name = "../../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(name, []byte(Document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil || string(text) != Document() {
		t.Errorf("docs/configuration.md differs from the keys (%v); go test ./cmd/node/settings -update", err)
	}
}
