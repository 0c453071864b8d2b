// Package labcommands tests `node lab` as a user has it: the real program, its commands
// one after the other in terminals of their own, and what they print.
package labcommands
