package conference

import (
	"testing"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// CF6: the list of all keys is short enough to be played, also where each action has
// a key of its own.
func TestListOfKeysFits(t *testing.T) {
	library, err := prompt.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys := store.DefaultKeys()
	keys["*99"] = store.ActionLeave
	for _, moderator := range []bool{false, true} {
		list := announcer{library: library}.keys(keys, moderator)
		if n := len(list); n < 20 || n > mixer.MaxQueue {
			t.Errorf("moderator %v: %d sounds, %d fit", moderator, n, mixer.MaxQueue)
		}
	}
}
