// Package conference runs the conferences of one node: it is the focus (RFC 4353).
//
// A [Host] holds the node's conferences. A caller is let in by Host.Admit, which
// opens the conference if it is the first, and gets a [Seat]; Seat.Enter joins the
// caller's media port. A conference costs nothing before its first seat and is gone
// after its last: no goroutine, timer or mixer of its own stays (SPEC CF4).
//
// What is decided is decided in package roster; this package turns its events into
// what the mixer does, what is announced, and what is recorded in the store. Every
// event is recorded, in order, by one bounded writer; a full writer makes commands
// wait, never the audio.
//
// A recording is decided in the roster too, and written by package recording: a segment is
// tapped from the mixer, and what becomes of it comes back as an event.
//
// Lock order: Host, then Conference, then those of package mixer. No lock is held
// while the store is waited for.
package conference
