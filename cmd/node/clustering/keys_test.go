package clustering

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/cluster/certs"
)

// cannotRead is what the log has when a node meets a key that it does not hold.
const cannotRead = "decrypt"

// hold says whether all nodes have the same keys, one of each kind, in force and on disk.
func (n *network) hold() (certs.Secrets, bool) {
	n.Helper()
	var first certs.Secrets
	for _, r := range n.nodes {
		disk, err := certs.Open(r.dir)
		n.must(err)
		s := r.bundle.Secrets()
		if len(first.Gossip) == 0 {
			first = s
		}
		if len(s.Gossip) != 1 || len(s.Handover) != 1 || !reflect.DeepEqual(s, first) || !reflect.DeepEqual(disk.Secrets(), first) {
			return s, false
		}
	}
	return first, true
}

// SE2: all nodes get new keys while they run: none of them is lost to another meanwhile,
// and the old keys are nowhere. A node that is added later with them is let in.
func TestKeysAreRotatedWhileRunning(t *testing.T) {
	n := newNetwork(t)
	n.start("a", "a1", "a2")
	n.start("b", "b1")
	n.together()
	before, same := n.hold()
	if !same {
		t.Fatalf("before: %v", before)
	}
	if count, err := n.nodes["b1"].RotateKeys(t.Context(), false); count != 3 || err != nil {
		t.Fatalf("%d nodes: %v", count, err)
	}
	after, same := n.hold()
	if !same || reflect.DeepEqual(after.Gossip, before.Gossip) || reflect.DeepEqual(after.Handover, before.Handover) {
		t.Fatalf("after: %v, before: %v", after, before)
	}
	n.together()
	if n.log.has(cannotRead) {
		t.Error("a node has met a key that it did not hold")
	}
	for _, file := range []string{"gossip.keys", "handover.keys"} {
		text, err := os.ReadFile(filepath.Join(n.nodes["a1"].dir, file))
		n.must(err)
		n.must(os.WriteFile(filepath.Join(n.authority, file), text, 0o600))
	}
	n.start("c", "c1")
	n.together()
}

// SE2: a node that cannot keep new keys keeps the cluster at the old ones; so does one that
// is off, unless the operator goes on without it. What broke off is finished the next time.
func TestARotationThatBreaksOff(t *testing.T) {
	n := newNetwork(t)
	n.start("a", "a1", "a2")
	n.start("b", "b1")
	n.together()
	before, _ := n.hold()
	a1 := n.nodes["a1"]

	away := n.nodes["b1"].dir
	n.must(os.Rename(away, away+".away"))
	if _, err := a1.RotateKeys(t.Context(), false); err == nil {
		t.Error("a node whose directory is gone has kept keys")
	}
	n.must(os.Rename(away+".away", away))
	if now, same := n.hold(); !same || !reflect.DeepEqual(now, before) {
		t.Errorf("%v, and before %v", now, before)
	}

	// It broke off between two steps: one node writes with the new keys, all have them.
	half := keysRequest{Step: keyAdd, Gossip: certs.NewSecret(), Handover: certs.NewSecret()}
	var nodes []certs.Identity
	for _, r := range n.nodes {
		nodes = append(nodes, r.self)
	}
	_, err := a1.stepAll(t.Context(), nodes, half)
	n.must(err)
	half.Step = keyUse
	_, err = n.nodes["a2"].stepKeys(half)
	n.must(err)
	if _, err := a1.RotateKeys(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if now, same := n.hold(); !same || reflect.DeepEqual(now.Gossip, before.Gossip) || slices.Equal(now.Gossip[0], half.Gossip) {
		t.Errorf("%v, and before %v", now, before)
	}

	// Killed: it says no good-bye.
	b1 := n.nodes["b1"]
	delete(n.nodes, "b1")
	n.must(b1.gossip.Close())
	n.until("a1 knows that b1 is off", func() bool { return a1.alive() == 2 })
	if _, err := a1.RotateKeys(t.Context(), false); !errors.Is(err, api.ErrNotNow) {
		t.Errorf("with a node that is off: %v", err)
	}
	if count, err := a1.RotateKeys(context.Background(), true); count != 2 || err != nil {
		t.Errorf("without it: %d nodes, %v", count, err)
	}
	n.startNode("c", "c1", "c1") // with the keys of the authority, which nobody has told
	n.until("the old keys are of no use", func() bool { return n.log.has(cannotRead) })
}
