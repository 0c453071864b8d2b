// Package labcommands holds the commands of `node lab`: several sites on one machine, to
// learn from and to break. What runs them is testenv/lab; the commands give it sensible
// values, furnish it with what callers need, and say what happens.
//
// `node lab up` is the program that has the lab. The others find it by a directory, where
// it leaves:
//
//	lab.lock        locked while it lives: who finds it unlocked may clean up
//	lab.json        how to reach it, while it takes commands (package lab)
//	furnished.json  the API's token, the rooms and their codes
//	lab.log         what it says in the background
//	NODE/, NODE.log, cluster/  data, logs and certificates of the nodes
//
// # Goroutines
//
// `lab call` has one that waits for the call's end while the command looks on; the command
// waits for it. `lab up --background` has those of [os/exec] that copy what
// the lab says, until the lab closes its output.
package labcommands
