package labcommands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One lab has a directory; what a dead one left is cleared away, what is no lab's never.
func TestDirectoryIsOneLabs(t *testing.T) {
	d := &directory{path: filepath.Join(t.TempDir(), "lab")}
	refused := func(err error, why string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("error %v, want %q", err, why)
		}
	}
	_, err := d.client()
	refused(err, "start one with node lab up")
	lock, err := d.claim()
	if err != nil {
		t.Fatal(err)
	}
	if state, err := d.look(); err != nil || state != alive {
		t.Errorf("a lab that lives: %v, %v", state, err)
	}
	_, err = d.claim()
	refused(err, "there is a lab in "+d.path+" already")
	_, err = d.client()
	refused(err, "it is starting, or ending")

	if err := d.write(furnished{Token: "cv_secret"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(d.file(furnishedFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v", info, err)
	}
	lock.Close() // as when its program dies
	_, err = d.client()
	refused(err, "has died")
	if lock, err = d.claim(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.read(); err == nil {
		t.Error("the dead lab's token is still there")
	}
	lock.Close()
	if err := d.clean(); err != nil {
		t.Fatal(err)
	}
	if state, err := d.look(); err != nil || state != absent {
		t.Errorf("after clean: %v, %v", state, err)
	}

	if err := os.MkdirAll(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file("thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = d.claim()
	refused(err, "has files that are no lab's")
}
