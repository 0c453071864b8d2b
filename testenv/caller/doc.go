// Package caller is a light telephone for tests with many callers: it dials, keys a
// code, speaks a tone of its own, and writes down which tones it hears, when, and when
// it heard nothing at all.
//
// A [Phone] has one socket for SIP and any number of calls, each with a socket of its
// own for RTP, as telephones behind one provider have. The sockets are opened by a
// function that is passed in, so a Phone lives in any network namespace.
//
// SIP messages are parsed and printed by sipgo; the transactions here are what a UAC
// over UDP needs of RFC 3261: requests are sent again until they are answered, and the
// answers to requests of the node are kept for repetitions. Its address, its tags and
// its CSeq are checked as a strict telephone does, but requests in a dialog are taken
// from any address, for a dialog may be taken over by another node. There are no
// proxies: Record-Route is ignored. Audio is G.711 µ-law, keys are telephone events.
//
// # Queues
//
// A response that nobody waits for any more, or that comes when four wait already, is
// dropped. A [Timeline] keeps its last 20,000 entries of each kind.
package caller
