package acceptance

import (
	"context"
	"testing"

	"github.com/conclave-voice/conclave/testenv/node"
)

// What furnish makes.
const (
	operatorNumber = "4989123456"
	operatorCode   = "1234567" // of guests; the room's home is the site of the node
)

// furnish makes what callers need at a node of `node run`, with the program's commands: an
// account, an access number, a rule that trusts this machine, and a room.
func furnish(t *testing.T, ctx context.Context, n *node.Node) {
	t.Helper()
	for _, args := range [][]string{
		{"customers", "add", "Acme"},
		{"tariffs", "add", "Standard", "--currency", "EUR"},
		{"tariffs", "set-rate", "Standard", "0.05", "--first", "60", "--next", "1"},
		{"accounts", "add", "acme-1", "--customer", "Acme", "--tariff", "Standard", "--balance", "10.00"},
		{"numbers", "add", operatorNumber},
		{"rules", "add", "trust", "--position", "10", "--source", "127.0.0.0/8"},
		{"rooms", "add", "Weekly", "--account", "acme-1", "--guest-code", operatorCode, "--host-code", "7654321"},
	} {
		command(t, ctx, n, args...)
	}
}
