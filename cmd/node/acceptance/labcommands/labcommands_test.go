package labcommands

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // to look at the server from outside

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

// MS15, MS2, MS5: a user brings two sites up with one command, has callers of both hear
// each other, cuts the sites off, sees the callers of one in a local conference, heals,
// freezes, kills and starts nodes, and takes everything down; nothing is left.
func TestALabFromUpToDown(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.isTold("start one with node lab up", "status")
	up := u.does("up", "--sites", "2", "--nodes", "2", "--background")
	for _, want := range []string{"123456", "234567", "cv_", "18665552637", "node lab call"} {
		if !strings.Contains(up, want) {
			t.Errorf("up does not tell %s:\n%s", want, up)
		}
	}
	u.isTold("there is a lab in "+u.dir+" already", "up")
	u.sees(`a +123456 +a-1 ready, a-2 ready +b up\nb +234567 +b-1 ready, b-2 ready +a up`, "status")

	a := u.opens("call", "--site", "A", "--code", "123456", "--tone", "420")
	b := u.opens("call", "--site", "b", "--code", "123456", "--tone", "700")
	a.shows("hears 700 Hz")
	b.shows("hears 420 Hz")
	u.sees(`Room 123456, main +a-\d .* a-420, b-700\n`, "status")
	u.isTold("another caller, a-420, speaks 420 Hz", "call", "--site", "a", "--code", "123456", "--tone", "400")

	u.does("cut", "A", "B")
	a.shows("does not hear 700 Hz any more")
	late := u.opens("call", "--site", "b", "--code", "123456", "--tone", "1010")
	late.shows("hears 700 Hz")
	b.shows("hears 1010 Hz")
	u.sees(`b +Room 123456, local +b-\d .* b-1010, b-700\n`, "status")
	u.sees("a → b: CUT; delay 20ms", "link", "a", "b")
	if all, _ := late.read(); strings.Contains(all, "hears 420 Hz") {
		t.Errorf("through the cut:\n%s", all)
	}
	u.does("heal")
	u.sees("a → b: delay 20ms", "link", "a", "b")
	for _, c := range []*terminal{a, b, late} {
		if all := c.interrupted(); !strings.Contains(all, "The call has ended: hung up.\nIt heard ") || !strings.Contains(all, "Times without any audio: ") {
			t.Errorf("%s:\n%s", c.name, all)
		}
	}
	u.breaksNodes()
	u.goesDown()
}

// breaksNodes freezes, thaws, kills and starts nodes.
func (u *user) breaksNodes() {
	u.does("freeze", "b-2")
	u.sees("b-2 FROZEN", "status")
	u.isTold("b-2 is frozen", "freeze", "b-2")
	u.does("thaw", "b-2")
	u.does("kill", "a-2")
	u.sees("a-2 DEAD", "status")
	u.isTold("a-2 does not run", "thaw", "a-2")
	u.isTold("there are a-1, a-2, b-1, b-2", "kill", "a-3")
	u.does("start", "a-2")
	u.sees("a-2 ready", "status")
	if out := u.does("exec", "b", "--", u.program, "nodes", "list"); !strings.Contains(out, "a-1") {
		u.Errorf("the API through node lab exec: %s", out)
	}
}

// goesDown takes the lab down, and looks whether anything is left.
func (u *user) goesDown() {
	u.Helper()
	state := u.state()
	pids, data := u.database(state.ID)
	for _, n := range state.Nodes {
		pids = append(pids, strconv.Itoa(n.PID))
	}
	u.does("down")
	u.nothingIsLeft(state.ID, data)
	for _, pid := range pids {
		if u.runs(pid) {
			u.Errorf("process %s is left", pid)
		}
	}
	u.isTold("start one with node lab up", "down")
}

// database finds the processes of a lab's PostgreSQL, and its directory.
func (u *user) database(id string) (pids []string, dir string) {
	u.Helper()
	pids = strings.Fields(u.ip("netns", "pids", "conclave-"+id+"-db-database"))
	for _, pid := range pids {
		if at, err := os.Readlink("/proc/" + pid + "/cwd"); err == nil && strings.Contains(at, "conclave-postgres-") {
			return pids, at
		}
	}
	u.Fatalf("PostgreSQL is none of the processes %v at the place of the database", pids)
	return nil, ""
}

// runs is whether a process runs that has not just taken the number of another.
func (u *user) runs(pid string) bool {
	line, err := os.ReadFile("/proc/" + pid + "/cmdline")
	return err == nil && (strings.Contains(string(line), u.program) || strings.Contains(string(line), "postgres"))
}

func (u *user) nothingIsLeft(id string, dirs ...string) {
	u.Helper()
	for _, dir := range append(dirs, u.dir) {
		if _, err := os.Stat(dir); err == nil {
			u.Errorf("%s is left", dir)
		}
	}
	if left := u.ip("netns", "list"); strings.Contains(left, "conclave-"+id+"-") {
		u.Errorf("namespaces are left: %s", left)
	}
	if left, err := filepath.Glob("/run/conclave-netns/" + id + "*"); err != nil || len(left) > 0 {
		u.Errorf("claims are left: %v, %v", left, err)
	}
}

// state is what programs are told of the lab.
func (u *user) state() (s lab.Status) {
	u.Helper()
	if err := json.Unmarshal([]byte(u.does("status", "-o", "json")), &s); err != nil {
		u.Fatal(err)
	}
	return s
}

func (u *user) ip(args ...string) string {
	u.Helper()
	out, err := exec.CommandContext(u.ctx, "ip", args...).CombinedOutput()
	if err != nil {
		u.Fatalf("ip %v: %v: %s", args, err, out)
	}
	return string(out)
}

// MS15: in the foreground a lab ends with Ctrl-C; on a server that is there it makes a
// database of its own, and drops it.
func TestAForegroundLabOnAServerThatIsThere(t *testing.T) {
	t.Parallel()
	u, server := newUser(t), postgres.Start(t)
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	databases := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(u.ctx, "SELECT count(*) FROM pg_database WHERE datname LIKE 'conclave_lab_%'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	up := u.opens("up", "--sites", "munich", "--nodes", "1", "--store", server)
	up.shows("node lab down")
	id := u.state().ID
	if n := databases(); n != 1 {
		t.Errorf("%d databases of labs while it runs", n)
	}
	if out := u.does("call", "--site", "munich", "--code", "123456", "--for", "1s"); !strings.Contains(out, "It heard no tone.") {
		t.Errorf("alone in the room:\n%s", out)
	}
	if out := up.interrupted(); !strings.HasSuffix(out, "The lab is gone.\n") {
		t.Errorf("after Ctrl-C:\n%s", out)
	}
	u.nothingIsLeft(id)
	if n := databases(); n != 0 {
		t.Errorf("%d databases of labs are left", n)
	}
}

// MS15: a lab that cannot start leaves its logs, which the next one clears away; what a lab
// leaves that was killed is removed by node lab down.
func TestADeadLab(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.isTold("a-1.log", "up", "--sites", "1", "--nodes", "1", "--log-level", "bogus")
	u.isTold("has died", "status")
	if log, err := os.ReadFile(filepath.Join(u.dir, "a-1.log")); err != nil || !strings.Contains(string(log), "bogus") {
		t.Errorf("the log of the node: %s, %v", log, err)
	}
	u.does("up", "--sites", "1", "--nodes", "1", "--background")
	state := u.state()
	_, data := u.database(state.ID)
	if err := syscall.Kill(state.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	u.sees("The lab had died", "down")
	u.nothingIsLeft(state.ID, data)
}
