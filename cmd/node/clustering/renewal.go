package clustering

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// renewTime is how often the certificates and secrets are read again.
	renewTime = 10 * time.Second
	// warnBefore is how long before the end of the certificate the log says so.
	warnBefore = 30 * 24 * time.Hour
	warnEvery  = 24 * time.Hour
)

// renew reads the certificates and secrets again and again, and warns of their end,
// until ctx is done.
func (c *Cluster) renew(ctx context.Context) error {
	tick := c.clock.NewTicker(renewTime)
	defer tick.Stop()
	var warned time.Time
	failed := ""
	for {
		if now := c.clock.Now(); c.bundle.Expiry().Sub(now) < warnBefore && now.Sub(warned) > warnEvery {
			warned = now
			c.logger.Warn("the node's certificate ends; make another with node cluster add, and put it in its place", "ends", c.bundle.Expiry())
		}
		select {
		case <-tick.Chan():
		case <-ctx.Done():
			return nil
		}
		err := c.reload()
		if err == nil {
			failed = ""
		} else if failed != err.Error() {
			failed = err.Error()
			c.logger.Error("what has changed in --cluster-dir is not used", "error", err)
		}
	}
}

func (c *Cluster) reload() error {
	c.keying.Lock()
	defer c.keying.Unlock()
	if err := c.bundle.Reload(); err != nil {
		return err
	}
	return c.takeKeys()
}

// takeKeys makes gossip use the keys that the bundle has. The lock keying is held.
func (c *Cluster) takeKeys() error {
	next := c.bundle.GossipKeys()
	if err := c.useKeys(c.keys, next); err != nil {
		return err
	}
	c.keys = next
	return nil
}

// useKeys makes gossip use other keys: what is new is read with first, then written
// with, and what is no longer there is forgotten.
func (c *Cluster) useKeys(before, after [][]byte) error {
	has := func(keys [][]byte, key []byte) bool {
		return slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
	}
	var errs []error
	for _, key := range after {
		if !has(before, key) {
			errs = append(errs, c.gossip.AddKey(key))
		}
	}
	if !bytes.Equal(before[0], after[0]) {
		errs = append(errs, c.gossip.UseKey(after[0]))
	}
	for _, key := range before {
		if !has(after, key) {
			errs = append(errs, c.gossip.RemoveKey(key))
		}
	}
	return errors.Join(errs...)
}
