package clustering

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
)

// The keys that all nodes share are changed while they run: every node first reads with
// the new ones, then every node writes with them, then every node forgets the old ones.
// Each step ends everywhere before the next begins, so that no node ever meets a key that
// it does not have. A node writes its files before it says that it has done a step.

const (
	keysTime = 5 * time.Second // for one step
	// keysPause is between the last message with an old key and forgetting it: as long as
	// a forwarded call may take to arrive.
	keysPause = 5 * time.Second
	maxKeys   = 2
)

// keyStep is what a node is to do with a new key.
type keyStep string

const (
	keyLook keyStep = "look" // nothing
	keyAdd  keyStep = "add"  // read with it
	keyUse  keyStep = "use"  // write with it
	keyDrop keyStep = "drop" // forget all others
	keyUndo keyStep = "undo" // forget it
)

type keysRequest struct {
	Step             keyStep
	Gossip, Handover []byte
}

// keysAnswer names the keys that a node has, by fingerprints.
type keysAnswer struct{ Gossip, Handover []string }

// next is a list of keys after a step with one of them.
func (s keyStep) next(keys [][]byte, key []byte) ([][]byte, error) {
	at := slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
	others := slices.DeleteFunc(slices.Clone(keys), func(k []byte) bool { return bytes.Equal(k, key) })
	switch {
	case s == keyAdd && at < 0 && len(keys) >= maxKeys:
		return nil, fmt.Errorf("%w: the node has %d keys already: another rotation has not ended", api.ErrNotNow, len(keys))
	case s == keyAdd && at < 0:
		return append(others, key), nil
	case s == keyUndo && at == 0:
		return nil, fmt.Errorf("%w: the key is in use", api.ErrNotNow)
	case s == keyUndo:
		return others, nil
	case (s == keyUse || s == keyDrop) && at < 0:
		return nil, fmt.Errorf("%w: the node does not have the key", api.ErrNotNow)
	case s == keyUse:
		return append([][]byte{key}, others...), nil
	case s == keyDrop:
		return [][]byte{key}, nil
	}
	return keys, nil
}

// stepKeys does a step at this node.
func (c *Cluster) stepKeys(r keysRequest) (keysAnswer, error) {
	c.keying.Lock()
	defer c.keying.Unlock()
	had := c.bundle.Secrets()
	now := had
	var err error
	if r.Step != keyLook {
		if now.Gossip, err = r.Step.next(had.Gossip, r.Gossip); err == nil {
			now.Handover, err = r.Step.next(had.Handover, r.Handover)
		}
		if err == nil {
			err = c.bundle.SetSecrets(now)
		}
		if err == nil {
			err = c.takeKeys()
		}
		if err != nil {
			return keysAnswer{}, err
		}
		c.logger.Info("the cluster's keys change", "step", r.Step, "gossip", certs.Fingerprint(r.Gossip), "handover", certs.Fingerprint(r.Handover))
	}
	return keysAnswer{Gossip: fingerprints(now.Gossip), Handover: fingerprints(now.Handover)}, nil
}

func fingerprints(keys [][]byte) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = certs.Fingerprint(k)
	}
	return list
}

// RotateKeys gives all nodes new keys, and returns how many have them. A node that is off
// would come back with the old ones and not be let in: without such nodes it is refused,
// unless the operator goes on without them and takes the files there. What an earlier
// rotation has left unfinished is finished first.
func (c *Cluster) RotateKeys(ctx context.Context, without bool) (int, error) {
	var live, off []string
	var nodes []certs.Identity
	for _, n := range c.Nodes() {
		if !n.Alive {
			off = append(off, n.Site+"/"+n.Node)
			continue
		}
		live, nodes = append(live, n.Site+"/"+n.Node), append(nodes, c.identity(n.Site, n.Node))
	}
	if len(off) > 0 && !without {
		return 0, fmt.Errorf("%w: %v are off, and would not find the cluster afterwards: start them, or go on without them and copy gossip.keys and handover.keys there", api.ErrNotNow, off)
	}
	if err := c.settleKeys(ctx, nodes); err != nil {
		return 0, fmt.Errorf("finishing an earlier rotation: %w", err)
	}
	r := keysRequest{Step: keyAdd, Gossip: certs.NewSecret(), Handover: certs.NewSecret()}
	if _, err := c.stepAll(ctx, nodes, r); err != nil {
		r.Step = keyUndo
		_, undone := c.stepAll(context.WithoutCancel(ctx), nodes, r)
		return 0, fmt.Errorf("the keys are as they were: %w", errors.Join(err, undone))
	}
	if err := c.finishKeys(ctx, nodes, r); err != nil {
		return 0, fmt.Errorf("all nodes have the old and the new keys; rotate again to finish: %w", err)
	}
	c.logger.Info("the cluster's keys have changed", "nodes", live, "without", off)
	return len(nodes), nil
}

// finishKeys makes all nodes use keys that they have, and forget the others.
func (c *Cluster) finishKeys(ctx context.Context, nodes []certs.Identity, r keysRequest) error {
	r.Step = keyUse
	if _, err := c.stepAll(ctx, nodes, r); err != nil {
		return err
	}
	select {
	case <-c.clock.After(keysPause):
	case <-ctx.Done():
		return ctx.Err()
	}
	r.Step = keyDrop
	_, err := c.stepAll(ctx, nodes, r)
	return err
}

// settleKeys finishes a rotation that broke off, with keys that all nodes have.
func (c *Cluster) settleKeys(ctx context.Context, nodes []certs.Identity) error {
	have, err := c.stepAll(ctx, nodes, keysRequest{Step: keyLook})
	if err != nil {
		return err
	}
	unfinished := slices.ContainsFunc(have, func(a keysAnswer) bool { return len(a.Gossip) > 1 || len(a.Handover) > 1 })
	if !unfinished {
		return nil
	}
	own := c.bundle.Secrets()
	common := func(keys [][]byte, of func(keysAnswer) []string) []byte {
		for _, key := range keys {
			if !slices.ContainsFunc(have, func(a keysAnswer) bool { return !slices.Contains(of(a), certs.Fingerprint(key)) }) {
				return key
			}
		}
		return nil
	}
	r := keysRequest{Gossip: common(own.Gossip, func(a keysAnswer) []string { return a.Gossip }),
		Handover: common(own.Handover, func(a keysAnswer) []string { return a.Handover })}
	if r.Gossip == nil || r.Handover == nil {
		return fmt.Errorf("%w: no key is at all nodes; copy gossip.keys and handover.keys of one node to the others", api.ErrNotNow)
	}
	return c.finishKeys(ctx, nodes, r)
}

// stepAll does a step at all nodes, and returns when all have done it.
func (c *Cluster) stepAll(ctx context.Context, nodes []certs.Identity, r keysRequest) ([]keysAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, keysTime)
	defer cancel()
	answers, errs := make([]keysAnswer, len(nodes)), make([]error, len(nodes))
	var all errgroup.Group
	all.SetLimit(showAtOnce)
	for i, node := range nodes {
		all.Go(func() error {
			if node == c.self {
				answers[i], errs[i] = c.stepKeys(r)
			} else {
				answers[i], errs[i] = rpc.Call[keysRequest, keysAnswer](ctx, c.client, node, methodKeys, r)
			}
			return nil
		})
	}
	_ = all.Wait()
	return answers, errors.Join(errs...)
}

func (c *Cluster) serveKeys() {
	rpc.Handle(c.server, methodKeys, func(_ context.Context, _ certs.Identity, r keysRequest) (keysAnswer, error) { return c.stepKeys(r) })
}
