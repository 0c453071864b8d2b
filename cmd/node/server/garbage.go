package server

import (
	"os"
	"runtime/debug"
)

// garbage is how much garbage there may be before it is collected, in percent of what is in
// use: half of Go's own default. What a call leaves behind when it has been set up is most
// of a node's garbage, and a call that is there makes next to none; so a collection is
// rare, and costs little, while the room for garbage is resident memory for good.
const garbage = 50

// collectEarly puts garbage into force, unless the environment has another word (GOGC). The
// function that it returns goes back to what was.
func collectEarly() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(garbage)
	return func() { debug.SetGCPercent(before) }
}
