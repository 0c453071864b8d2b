package screening

import (
	"net/netip"
	"strings"
	"time"
)

// Kind is what a key of the guard stands for.
type Kind uint8

const (
	KindAddress   Kind = iota // one source address
	KindNetwork               // its /24 (IPv4) or /64 (IPv6)
	KindCaller                // a caller's number
	KindAccount               // a user name
	KindCodeSpace             // all access codes of a service
	kinds
)

// Key is one thing that failures are counted for.
type Key struct {
	Kind  Kind
	Value string
}

// SourceKeys are the address and its network. Do not use them for callers behind a
// carrier's gateway: it would be locked out for what one of its callers did.
func SourceKeys(addr netip.Addr) []Key {
	addr = addr.Unmap().WithZone("")
	bits := 24
	if addr.Is6() {
		bits = 64
	}
	network, err := addr.Prefix(bits)
	if err != nil { // the zero address
		return []Key{{KindAddress, ""}}
	}
	return []Key{{KindAddress, addr.String()}, {KindNetwork, network.String()}}
}

// CallerKey is the number that a call comes from.
func CallerKey(number string) Key { return Key{KindCaller, number} }

// AccountKey is a user name within a realm.
func AccountKey(realm, username string) Key {
	return Key{KindAccount, strings.ToLower(realm + "\x00" + username)}
}

// CodeSpaceKey is a code space.
func CodeSpaceKey(space string) Key { return Key{KindCodeSpace, space} }

// Limit is how much a key may fail and how long it is locked out then.
type Limit struct {
	// Free failures have no consequence.
	Free int
	// Leak is how long it takes for one failure to be forgotten, not counting the
	// time locked out.
	Leak time.Duration
	// First is the lockout of the first failure past Free. Each further one doubles
	// it, up to Most.
	First, Most time.Duration
}

// lockout is how long the count'th failure locks out.
func (l Limit) lockout(count int) time.Duration {
	if count <= l.Free {
		return 0
	}
	lock := l.First
	for range count - l.Free - 1 {
		if lock >= l.Most {
			break
		}
		lock *= 2
	}
	return min(lock, l.Most)
}

// ceiling is the count from which on the lockout grows no more. More is not counted,
// so that a key has not to pay for ever for one long night.
func (l Limit) ceiling() int {
	count := l.Free + 1
	for l.lockout(count) < l.Most {
		count++
	}
	return count
}

// GuardConfig bounds guessing.
type GuardConfig struct {
	// Limits by kind of key.
	Limits [kinds]Limit
	// Global counts all failures together.
	Global Limit
	// Capacity is how many keys are remembered, some 150 bytes each.
	Capacity int
}

// DefaultGuardConfig lets people mistype and makes guessing hopeless: after its first
// 17 guesses a source gets one an hour.
//
// Locking an account or a code space is also a way to lock its owner out, by failing
// on purpose. Those locks are therefore short: they slow, the address's lock stops.
func DefaultGuardConfig() GuardConfig {
	return GuardConfig{
		Limits: [kinds]Limit{
			KindAddress:   {Free: 5, Leak: 10 * time.Minute, First: 2 * time.Second, Most: time.Hour},
			KindNetwork:   {Free: 50, Leak: time.Minute, First: 2 * time.Second, Most: 10 * time.Minute},
			KindCaller:    {Free: 6, Leak: 10 * time.Minute, First: 10 * time.Second, Most: time.Hour},
			KindAccount:   {Free: 10, Leak: time.Minute, First: 2 * time.Second, Most: time.Minute},
			KindCodeSpace: {Free: 500, Leak: time.Second, First: time.Second, Most: 5 * time.Second},
		},
		Global:   Limit{Free: 2000, Leak: 50 * time.Millisecond, First: 500 * time.Millisecond, Most: 2 * time.Second},
		Capacity: 65536,
	}
}
