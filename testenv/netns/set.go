package netns

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Prefix begins the name of every namespace that this package makes.
const Prefix = "conclave-"

const (
	mounts = "/run/netns"          // where iproute2 has the namespaces
	claims = "/run/conclave-netns" // a lock file for each owner
)

// Set is the namespaces of one owner.
type Set struct {
	id   string
	lock *os.File // held until Close, or until the program ends

	mu    sync.Mutex
	names []string
}

// Check says what is missing on this machine, and what to do about it.
func Check() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root: run it with sudo")
	}
	if _, err := ip(context.Background(), "", "-V"); err != nil {
		return fmt.Errorf("iproute2 is needed (apt-get install iproute2): %w", err)
	}
	if _, err := os.Stat(tunPath); err != nil {
		return fmt.Errorf("TUN devices are needed (modprobe tun; in a container: --device %s --cap-add NET_ADMIN): %w", tunPath, err)
	}
	return nil
}

// New claims an id that no other owner has, after it has deleted what dead owners left.
func New(ctx context.Context) (*Set, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	if err := Sweep(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(claims, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of claims: %w", err)
	}
	for {
		id := strings.ToLower(rand.Text()[:4])
		lock, err := claim(id, os.O_CREATE|os.O_EXCL)
		switch {
		case err == nil:
			return &Set{id: id, lock: lock}, nil
		case !errors.Is(err, os.ErrExist):
			return nil, err
		}
	}
}

// claim opens and locks the file of an id.
func claim(id string, flags int) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(claims, id), os.O_RDWR|flags, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the claim of %s: %w", id, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock the claim of %s: %w", id, err)
	}
	return lock, nil
}

// ID is the four letters and digits in the names of the set's namespaces.
func (s *Set) ID() string { return s.id }

// Path is a place for a file, such as a socket, that is to go with the set: Close and
// Sweep remove it. It is short, and for root alone.
func (s *Set) Path(name string) string { return filepath.Join(claims, s.id+"."+name) }

// removeFiles removes those of an owner, its claim last.
func removeFiles(id string) error {
	files, err := filepath.Glob(filepath.Join(claims, id+".*"))
	errs := []error{err}
	for _, path := range append(files, filepath.Join(claims, id)) {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// Add makes a namespace with its loopback up. name must be a file name, unlike the
// others of the set.
func (s *Set) Add(ctx context.Context, name string) (*Namespace, error) {
	n := &Namespace{name: Prefix + s.id + "-" + name}
	if _, err := ip(ctx, "", "netns", "add", n.name); err != nil {
		return nil, fmt.Errorf("make namespace %s (a container needs --cap-add SYS_ADMIN, or --privileged): %w", n.name, err)
	}
	s.mu.Lock()
	s.names = append(s.names, n.name)
	s.mu.Unlock()
	// Router solicitations would only disturb the counts of packets.
	if err := n.Sysctl("net/ipv6/conf/all/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return n, n.IP(ctx, "link set lo up")
}

// Close kills what still runs in the namespaces, deletes them, and gives the id back.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	var errs []error
	for _, name := range s.names {
		errs = append(errs, remove(name))
	}
	errs = append(errs, removeFiles(s.id), s.lock.Close())
	s.names, s.lock = nil, nil
	return errors.Join(errs...)
}

// Sweep deletes the namespaces of owners that are dead, with the processes in them.
func Sweep(ctx context.Context) error {
	entries, err := os.ReadDir(mounts)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for namespaces: %w", err)
	}
	dead := map[string][]string{} // by the owner's id
	for _, e := range entries {
		if rest, ours := strings.CutPrefix(e.Name(), Prefix); ours {
			id, _, _ := strings.Cut(rest, "-")
			dead[id] = append(dead[id], e.Name())
		}
	}
	var errs []error
	for id, names := range dead {
		errs = append(errs, sweepOwner(ctx, id, names))
	}
	return errors.Join(errs...)
}

func sweepOwner(ctx context.Context, id string, names []string) error {
	lock, err := claim(id, 0)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil // it lives
	case errors.Is(err, os.ErrNotExist): // it has been swept by halves
	case err != nil:
		return err
	default:
		defer lock.Close()
		defer removeFiles(id) // what cannot be removed is a few octets in /run
	}
	if err := await(ctx, names); err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, remove(name))
	}
	return errors.Join(errs...)
}

// removal bounds the deletion of one namespace; it is done even for an owner whose
// context has ended.
const removal = 10 * time.Second

// grace is how long processes of a dead owner have to end by themselves: they may be
// removing their files, having seen that it is gone.
const grace = 10 * time.Second

// await waits until nothing runs in namespaces, or grace is over.
func await(ctx context.Context, names []string) error {
	limit := time.NewTimer(grace)
	defer limit.Stop()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for _, name := range names {
		for {
			found, err := pids(ctx, name)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				break
			}
			select {
			case <-ticker.C:
			case <-limit.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// pids are the processes in a namespace.
func pids(ctx context.Context, name string) (all []int, err error) {
	out, err := ip(ctx, "", "netns", "pids", name)
	if err != nil {
		return nil, fmt.Errorf("look for processes in %s: %w", name, err)
	}
	for _, field := range strings.Fields(out) {
		if pid, err := strconv.Atoi(field); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}

func remove(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), removal)
	defer cancel()
	if _, err := os.Stat(filepath.Join(mounts, name)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	found, err := pids(ctx, name)
	if err != nil {
		return err
	}
	for _, pid := range found {
		// A thread of this program that works in the namespace may show as the program.
		if pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL) // it may just have ended
		}
	}
	if _, err := ip(ctx, "", "netns", "delete", name); err != nil {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}
