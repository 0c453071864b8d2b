package gossip

import (
	"fmt"
	"sync"

	"github.com/hashicorp/memberlist"
)

// maxKeys is one key in use and one that comes or goes. It is also what makes removal
// safe: memberlist's Keyring gives its readers the slice from whose middle it removes,
// which moves nothing only when the key removed is the last.
const maxKeys = 2

// keys are the encryption keys that both pools hold.
type keys struct {
	mu   sync.Mutex // one change at a time
	ring *memberlist.Keyring
}

func newKeys(list [][]byte) (*keys, error) {
	ring, err := memberlist.NewKeyring(list, list[0])
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return &keys{ring: ring}, nil
}

func (k *keys) add(key []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := k.ring.GetKeys()
	if len(held) >= maxKeys && !contains(held, key) {
		return fmt.Errorf("add a gossip key: %d are held; remove the one that is not used first", maxKeys)
	}
	if err := k.ring.AddKey(append([]byte(nil), key...)); err != nil {
		return fmt.Errorf("add a gossip key: %w", err)
	}
	return nil
}

func (k *keys) use(key []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ring.UseKey(append([]byte(nil), key...)); err != nil {
		return fmt.Errorf("use a gossip key: %w: add it on every node first", err)
	}
	return nil
}

func (k *keys) remove(key []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ring.RemoveKey(key); err != nil {
		return fmt.Errorf("remove a gossip key: %w: use the new key on every node first", err)
	}
	return nil
}

func contains(keys [][]byte, key []byte) bool {
	for _, k := range keys {
		if string(k) == string(key) {
			return true
		}
	}
	return false
}
