package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// program is the node's, built if need be.
func (o *options) program(ctx context.Context) (path string, clean func(), err error) {
	if o.node != "" {
		return o.node, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "conclave-load-node-")
	if err != nil {
		return "", nil, fmt.Errorf("make a directory for the node: %w", err)
	}
	path = filepath.Join(dir, "node")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/node").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("build ./cmd/node: %w: %s", err, said)
	}
	return path, func() { os.RemoveAll(dir) }, nil
}

// pin keeps this process on a processor: those of its threads that there are, from
// which the later ones inherit it.
func pin(cpu int) error {
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("pin the callers to processor %d: %w", cpu, err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err == nil {
			err = unix.SchedSetaffinity(id, &set)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pin the callers to processor %d: %w", cpu, err)
		}
	}
	return nil
}
