//go:build race

package node

// Race says that this test, and so the node, is built with the race detector.
const Race = true
