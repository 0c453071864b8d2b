// Package wiretap counts the UDP packets that arrive at ports of this machine's loopback,
// whoever takes them: a test sees from outside which way media goes.
//
// It needs root, for it listens by a raw socket.
package wiretap
