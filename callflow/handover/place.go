package handover

import (
	"strings"

	"github.com/conclave-voice/conclave/store"
)

// name is a node in a token.
func name(p store.Place) string { return p.Site + "/" + p.Node }

func place(name string) (store.Place, bool) {
	site, node, ok := strings.Cut(name, "/")
	return store.Place{Site: site, Node: node}, ok && site != "" && node != ""
}
