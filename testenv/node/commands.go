package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program is the path of the program, built if need be.
func Program(t testing.TB) string {
	t.Helper()
	return built(t, Race)
}

// Several is the path of the program for a test in which several nodes run on this
// machine. See RaceSeveral.
func Several(t testing.TB) string {
	t.Helper()
	return built(t, RaceSeveral())
}

func built(t testing.TB, race bool) string {
	t.Helper()
	path, err := build(program, race)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Command runs a command of the program, such as "rooms", "list", against this node as
// a user would, and returns what it printed. The error has what it said.
func (n *Node) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, n.path, args...)
	cmd.Env = append(os.Environ(), "CONCLAVE_API="+n.API(), "CONCLAVE_TOKEN="+n.options.Token)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("node %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// Read runs a command with --output json, and reads what it printed into v.
func (n *Node) Read(ctx context.Context, v any, args ...string) error {
	out, err := n.Command(ctx, append(args, "--output", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		return fmt.Errorf("node %s printed %q: %w", strings.Join(args, " "), out, err)
	}
	return nil
}
