package clustering

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// keptOrders are the orders that a node has obeyed last, on its own disk. A node that starts
// while its site has no quorum cannot know which entries of its log are agreed: until it
// does, it goes by these.
type keptOrders struct {
	Group  string // of Raft: that of another says nothing here
	Index  uint64 // of the registry that had them
	Orders []registry.Order
}

// readOrders reads a file; one that is not there has no orders.
func readOrders(path string) (k keptOrders, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return keptOrders{}, fmt.Errorf("reading the orders of the last run: %w", err)
	}
	return k, nil
}

// write puts them in the place of those before.
func (k keptOrders) write(path string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// behind says whether a registry has not come as far as the one that had these orders.
func (k keptOrders) behind(s *registry.State) bool {
	return s.Index() < k.Index && (s.Group() == "" || s.Group() == k.Group)
}
