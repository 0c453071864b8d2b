package labcommands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/postgres/server"
)

func downCommand(d *directory) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End the lab, and remove all of it",
		Long: `Ends the lab: calls are hung up, nodes killed, and processes, network namespaces, database
and directory removed. It does the same for a lab whose program has died.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := d.look()
			if err != nil {
				return err
			}
			if state == dead {
				if err := errors.Join(netns.Sweep(cmd.Context()), d.clean()); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "The lab had died; what it left is removed.")
				return nil
			}
			c, err := d.client()
			if err != nil {
				return err
			}
			return d.end(cmd, c)
		},
	}
}

// endTime is far more than a lab needs to end.
const endTime = 2 * time.Minute

// end asks the lab to end and waits until nothing is left.
func (d *directory) end(cmd *cobra.Command, c *lab.Client) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), endTime)
	defer cancel()
	if err := c.Down(ctx); err != nil {
		return err
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		state, err := d.look()
		switch {
		case err != nil:
			return err
		case state == absent:
			fmt.Fprintln(cmd.OutOrStdout(), "The lab is gone.")
			return nil
		case state == dead:
			return fmt.Errorf("the lab could not remove all of itself (its log: %s): try node lab down again", d.file(logFile))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until the lab, process %d, has ended: %w", c.State().PID, context.Cause(ctx))
		}
	}
}

// clean removes what a lab has left once its network is gone: a database on a server of
// the user's, and the directory. The lock is the last file, so that one who fails half-way
// may try again.
func (d *directory) clean() error {
	if f, err := d.read(); err == nil && f.Store != "" {
		if err := server.Drop(f.Server, f.Store); err != nil {
			return fmt.Errorf("drop the lab's database: %w", err)
		}
	}
	found, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("remove the directory of the lab: %w", err)
	}
	for _, entry := range found {
		if entry.Name() == lockFile {
			continue
		}
		if err := os.RemoveAll(d.file(entry.Name())); err != nil {
			return fmt.Errorf("remove the directory of the lab: %w", err)
		}
	}
	if err := os.Remove(d.file(lockFile)); err != nil {
		return fmt.Errorf("remove the lab's lock: %w", err)
	}
	// It may be a mount, or one that was there before.
	if err := os.Remove(d.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the directory of the lab: %w", err)
	}
	return nil
}
