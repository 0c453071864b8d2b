package gossip

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func port(n int) netip.AddrPort { return netip.AddrPortFrom(host(1), uint16(n)) }

func TestTheBookKeepsWhatItLearns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seeds.json")
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	b := newBook(file)
	b.learn(local, port(1), now)
	b.learn(local, port(2), now.Add(time.Hour))
	b.learn(wide, port(3), now)
	b.learn(wide, netip.AddrPort{}, now) // nothing to learn
	b.learn(wide, port(4), now)
	b.forget(wide, port(4))
	for range 2 { // the second time there is nothing to write
		if err := b.save(); err != nil {
			t.Fatal(err)
		}
	}
	again := newBook(file)
	if err := again.load(); err != nil {
		t.Fatal(err)
	}
	if got, want := again.addresses(local), []netip.AddrPort{port(2), port(1)}; !slices.Equal(got, want) {
		t.Errorf("local: %v, want %v", got, want)
	}
	if got, want := again.addresses(wide), []netip.AddrPort{port(3)}; !slices.Equal(got, want) {
		t.Errorf("wide: %v, want %v", got, want)
	}
	if files, _ := os.ReadDir(filepath.Dir(file)); len(files) != 1 {
		t.Errorf("files left: %v", files)
	}
}

func TestTheBookForgets(t *testing.T) {
	b := newBook("")
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	b.learn(local, port(1), now)
	b.learn(local, port(2), now.Add(forgetAfter))
	if got := b.addresses(local); len(got) != 2 {
		t.Errorf("%v after a week", got)
	}
	b.learn(local, port(3), now.Add(forgetAfter+time.Hour))
	if got, want := b.addresses(local), []netip.AddrPort{port(3), port(2)}; !slices.Equal(got, want) {
		t.Errorf("%v after more than a week, want %v", got, want)
	}
	for i := range 2 * maxLearnt {
		b.learn(wide, port(i+1), now.Add(time.Duration(i)*time.Second))
	}
	if got := b.addresses(wide); len(got) != maxLearnt || got[0] != port(2*maxLearnt) {
		t.Errorf("%d addresses are kept, the first %v", len(got), got[0])
	}
}
