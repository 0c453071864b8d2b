package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// script runs a server until its standard input ends. A signal meant for the tests
// (an interrupt at the terminal) does not reach it: it is a process group of its own.
// It listens on a socket in its folder, and on an address if one is given.
const script = `
bin=$1 dir=$2 address=$3
"$bin/initdb" -D "$dir/data" -U conclave -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 && {
	[ -z "$address" ] || echo "host all all 0.0.0.0/0 trust" >>"$dir/data/pg_hba.conf"
	"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses="$address" -c max_connections=300 -c shared_buffers=64MB \
		-c fsync=off -c synchronous_commit=off -c full_page_writes=off >>"$dir/log" 2>&1 </dev/null &
	pid=$!
	cat >/dev/null
	kill -INT $pid
	wait $pid
}
cat >/dev/null
rm -rf "$dir"
`

// launched is a server that answers.
type launched struct {
	dsn     string // by the socket in its folder
	command *exec.Cmd
	watched io.WriteCloser // the server stops when it is closed
}

// launch starts a server, by a function of the caller's, and waits until it answers.
func launch(bin, address string, start func(*exec.Cmd) error) (launched, error) {
	dir, owner, err := place()
	if err != nil {
		return launched{}, err
	}
	cmd := exec.Command("/bin/sh", "-c", script, "sh", bin, dir, address)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	watched, err := cmd.StdinPipe()
	if err != nil {
		return launched{}, err
	}
	if err := start(cmd); err != nil {
		return launched{}, err
	}
	dsn := (&url.URL{Scheme: "postgresql", User: url.User("conclave"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode()}).String()
	if err := answers(dsn); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		watched.Close()
		return launched{}, fmt.Errorf("%w; its log:\n%s", err, log)
	}
	return launched{dsn, cmd, watched}, nil
}

// startTime is generous: the machine may be busy with other tests.
const startTime = time.Minute

// answers returns when the server does.
func answers(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it did not answer within %v: %w", startTime, err)
		}
	}
}

// Check says what is missing on this machine, and what to do about it.
func Check() error {
	_, err := installed()
	return err
}

// installed finds the newest PostgreSQL of Debian's packages.
func installed() (bin string, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// version is the number in /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for a name that is no number
	return n
}

// place makes the server's folder, and says whom to run it as: it refuses root.
func place() (dir string, owner *syscall.Credential, err error) {
	// Not in TMPDIR: the path of the socket in it must not exceed 107 bytes.
	if dir, err = os.MkdirTemp("/tmp", "conclave-postgres-"); err != nil {
		return "", nil, err
	}
	if os.Geteuid() != 0 {
		return dir, nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid) // numbers, on every system that has PostgreSQL in /usr/lib
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", nil, err
		}
		return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return "", nil, errors.New("there is neither a user postgres nor nobody to run it as: it refuses root")
}
