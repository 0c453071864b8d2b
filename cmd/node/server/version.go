package server

import (
	"runtime/debug"
	"strings"
)

// version is of this program, in few bytes, for gossip carries it: that of its release, or
// the beginning of the commit that it was built from, or "devel".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	// A version of no release has a dash, with the time and the commit behind it.
	if v := info.Main.Version; v != "" && !strings.ContainsAny(v, "-(") {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}
