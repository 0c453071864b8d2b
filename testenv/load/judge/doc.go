// Package judge tells from what was heard and measured under load whether all was well. It
// is pure: sound, times and numbers in, findings out.
//
//	room.go      who was in a room when, and so which tones must be heard and which must not
//	listen.go    what one listener heard: tones missing or foreign, levels, clipping, gaps
//	verdict.go   all listeners together, with the worst first
//	growth.go    whether memory or anything counted grew: a line of least squares
package judge
