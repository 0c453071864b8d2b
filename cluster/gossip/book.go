package gossip

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// maxLearnt bounds the addresses of one pool; the one not seen for longest makes
	// room.
	maxLearnt = 256
	// forgetAfter is how long an address is kept that was not seen while others were.
	// The time is relative to the newest, so that a node that was off for long still
	// knows them all.
	forgetAfter = 7 * 24 * time.Hour
	// refreshAfter is how old a time may get before it is worth writing the file.
	refreshAfter = time.Hour
)

// book keeps the addresses at which members were seen, in memory and in a file.
type book struct {
	file string

	mu    sync.Mutex
	seen  [2]map[netip.AddrPort]time.Time // by kind
	dirty bool

	saving sync.Mutex // one writer of the file; taken before mu
}

// page is one pool's part of the file.
type page struct {
	Local []sighting `json:"local"`
	Wide  []sighting `json:"wide"`
}

type sighting struct {
	Address netip.AddrPort `json:"address"`
	Seen    time.Time      `json:"seen"`
}

func newBook(file string) *book {
	return &book{file: file, seen: [2]map[netip.AddrPort]time.Time{{}, {}}}
}

// load reads the file, if there is one. What it cannot read it leaves out.
func (b *book) load() error {
	if b.file == "" {
		return nil
	}
	data, err := os.ReadFile(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the known addresses: %w", err)
	}
	var p page
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("read the known addresses in %s: %w", b.file, err)
	}
	for k, list := range [][]sighting{p.Local, p.Wide} {
		for _, s := range list {
			b.learn(kind(k), s.Address, s.Seen)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty = false
	return nil
}

// learn notes that a member was seen at the address.
func (b *book) learn(k kind, addr netip.AddrPort, now time.Time) {
	if !addr.IsValid() || addr.Port() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if last, known := b.seen[k][addr]; !known || now.Sub(last) > refreshAfter {
		b.seen[k][addr] = now
		b.dirty = true
	}
	if len(b.seen[k]) > maxLearnt {
		list := b.sorted(k)
		b.seen[k] = map[netip.AddrPort]time.Time{}
		for _, s := range list[:min(maxLearnt, len(list))] {
			b.seen[k][s.Address] = s.Seen
		}
	}
}

// forget drops the address of a node that left.
func (b *book) forget(k kind, addr netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.seen[k][addr]; known {
		delete(b.seen[k], addr)
		b.dirty = true
	}
}

// addresses are those of one pool, the last seen first.
func (b *book) addresses(k kind) []netip.AddrPort {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []netip.AddrPort
	for _, s := range b.sorted(k) {
		list = append(list, s.Address)
	}
	return list
}

// sorted gives one pool's sightings, the newest first, without those that are to be
// forgotten. b.mu is held.
func (b *book) sorted(k kind) []sighting {
	list := make([]sighting, 0, len(b.seen[k]))
	for addr, seen := range b.seen[k] {
		list = append(list, sighting{addr, seen})
	}
	slices.SortFunc(list, func(x, y sighting) int {
		return cmp.Or(y.Seen.Compare(x.Seen), x.Address.Compare(y.Address))
	})
	for i, s := range list {
		if list[0].Seen.Sub(s.Seen) > forgetAfter {
			return list[:i]
		}
	}
	return list
}

// save writes the file if there is something new: beside the old one, and then in its
// place.
func (b *book) save() error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	dirty := b.dirty
	p := page{b.sorted(local), b.sorted(wide)}
	b.dirty = false
	b.mu.Unlock()
	if !dirty || b.file == "" {
		return nil
	}
	if err := replace(b.file, p); err != nil {
		b.mu.Lock()
		b.dirty = true
		b.mu.Unlock()
		return fmt.Errorf("write the known addresses: %w", err)
	}
	return nil
}

func replace(file string, p page) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when all went well
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
