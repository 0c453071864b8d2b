// Package soak has callers come and go on a node for a long time, watches it, and says
// whether anything was late, grew, stayed behind, or sounded wrong.
//
//	soak.go     the order: a handful of callers first, for the noise of the machine; the
//	            load; all leave; what was heard is judged
//	watch.go    figures while it goes on, and a line of them every minute
//	verdict.go  what was wrong, from the figures alone
package soak
