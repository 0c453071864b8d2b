package conference

import (
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// keyPause is how long after one digit of a key like "*6" the next must come.
const keyPause = 3 * time.Second

// keypad turns the digits that a participant presses into actions. It is pure.
type keypad struct {
	keys    map[string]store.Action
	entered string
	last    time.Time
}

func newKeypad(keys map[string]store.Action) keypad {
	return keypad{keys: keys}
}

// press takes a digit. known is false for a key that means nothing here, once it
// is complete; a lone digit that begins no key means nothing silently, because
// callers press the pound key after a code that was accepted without it.
func (k *keypad) press(now time.Time, digit byte) (action store.Action, known bool) {
	if k.entered != "" && now.Sub(k.last) > keyPause {
		k.entered = ""
	}
	k.last = now
	k.entered += string(digit)
	if a, ok := k.keys[k.entered]; ok {
		k.entered = ""
		return a, true
	}
	if k.begins(k.entered) {
		return store.ActionUnassigned, true
	}
	unknown := len(k.entered) > 1
	k.entered = ""
	return store.ActionUnassigned, !unknown
}

func (k *keypad) begins(prefix string) bool {
	for key := range k.keys {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
