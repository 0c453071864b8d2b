package labcommands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// detach starts this command again as a program in the background, and says what it says
// until the lab is ready: it then closes its output, see logTo.
func detach(cmd *cobra.Command, d *directory) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"lab", "up", "--detached"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "background" {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	child := exec.Command(program, args...)
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at this terminal is not for it
	out, err := child.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the lab in the background: %w", err)
	}
	errs, err := child.StderrPipe()
	if err != nil {
		return fmt.Errorf("start the lab in the background: %w", err)
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start the lab in the background: %w", err)
	}
	release := context.AfterFunc(cmd.Context(), func() { _ = child.Process.Signal(syscall.SIGTERM) }) // it may have ended
	defer release()
	var copies errgroup.Group
	copies.Go(func() error { _, err := io.Copy(cmd.OutOrStdout(), out); return err })
	copies.Go(func() error { _, err := io.Copy(cmd.ErrOrStderr(), errs); return err })
	if err := copies.Wait(); err != nil {
		return fmt.Errorf("say what the lab says: %w", err)
	}
	if _, err := d.client(); err == nil {
		return nil // it runs, and is no business of ours any more
	}
	if child.Wait() != nil {
		return errors.New("the lab was not started")
	}
	return cmd.Context().Err()
}

// logTo has this program write to a file from now on; whoever started it sees its output
// end.
func logTo(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of the lab: %w", err)
	}
	defer f.Close()
	for _, fd := range []int{unix.Stdout, unix.Stderr} {
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
			return fmt.Errorf("write to the log of the lab: %w", err)
		}
	}
	return nil
}
