package labcommands

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// directory is where a lab is found.
type directory struct{ path string }

// The files of a lab's directory that are not the nodes'.
const (
	lockFile      = "lab.lock"
	stateFile     = "lab.json" // as package lab calls it
	furnishedFile = "furnished.json"
	logFile       = "lab.log"
)

// flag is what commands must be given to find the lab; empty where they find it anyway.
func (d *directory) flag() string {
	if d.path == defaultPath() {
		return ""
	}
	return " --dir " + d.path
}

// absolute makes the path one that programs elsewhere understand.
func (d *directory) absolute() (err error) {
	if d.path, err = filepath.Abs(d.path); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	return nil
}

// defaultPath is where a lab is unless --dir says otherwise.
func defaultPath() string {
	if path := os.Getenv(dirVariable); path != "" {
		return path
	}
	return "/var/lib/conclave-lab"
}

func (d *directory) file(name string) string { return filepath.Join(d.path, name) }

// liveness is whether a lab has the directory.
type liveness int

const (
	absent liveness = iota
	dead            // it has ended, and has left things
	alive
)

// look says whether a lab has the directory.
func (d *directory) look() (liveness, error) {
	f, err := os.Open(d.file(lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return absent, nil
	}
	if err != nil {
		return absent, fmt.Errorf("look for the lab: %w", err)
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return alive, nil
	case err != nil:
		return absent, fmt.Errorf("look for the lab: %s: %w", d.file(lockFile), err)
	}
	return dead, nil
}

// claim takes the directory for a new lab, after it has removed what a dead one left.
// The lock is held until the file is closed, or this program ends.
func (d *directory) claim() (*os.File, error) {
	state, err := d.look()
	switch {
	case err != nil:
		return nil, err
	case state == alive:
		return nil, fmt.Errorf("there is a lab in %s already: use it (node lab status), end it (node lab down), or name another place with --dir", d.path)
	case state == dead:
		if err := d.clean(); err != nil {
			return nil, err
		}
	}
	if found, err := os.ReadDir(d.path); err == nil && len(found) > 0 {
		return nil, fmt.Errorf("--dir %s: it has files that are no lab's, and node lab down would remove them: name a directory that is empty or does not exist", d.path)
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the lab: %w; name one that can be made with --dir", err)
	}
	f, err := os.OpenFile(d.file(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the lab's lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another lab is being started in %s: name another place with --dir (%w)", d.path, err)
	}
	return f, nil
}

// client finds the lab that runs.
func (d *directory) client() (*lab.Client, error) {
	state, err := d.look()
	if err != nil {
		return nil, err
	}
	switch state {
	case absent:
		return nil, fmt.Errorf("no lab runs in %s: start one with node lab up, or say where it is with --dir", d.path)
	case dead:
		return nil, fmt.Errorf("the lab in %s has died: remove what it left with node lab down, or start another with node lab up", d.path)
	}
	if _, err := os.Stat(d.file(stateFile)); err != nil {
		return nil, fmt.Errorf("the lab in %s takes no commands: it is starting, or ending; try again when node lab up has said that it is ready", d.path)
	}
	return lab.NewClient(d.path)
}

// furnished is what a lab has for callers and for users of the API.
type furnished struct {
	Token  string `json:"token"`
	Number string `json:"number"`
	Rooms  []room `json:"rooms"`
	// Server and Store are of a database on a server of the user's, to be dropped.
	Server string `json:"server,omitempty"`
	Store  string `json:"store,omitempty"`
}

// room is a room whose home is a site.
type room struct {
	Home string `json:"home"`
	Code string `json:"code"`
}

// write keeps it for root alone: there is a token in it.
func (d *directory) write(f furnished) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err == nil {
		err = os.WriteFile(d.file(furnishedFile), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write down what the lab has: %w", err)
	}
	return nil
}

func (d *directory) read() (f furnished, err error) {
	text, err := os.ReadFile(d.file(furnishedFile))
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return f, fmt.Errorf("read what the lab has: %w", err)
	}
	return f, nil
}
