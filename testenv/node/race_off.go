//go:build !race

package node

// race says that this test, and so the node, is built with the race detector.
const race = false
