// Package signaling is SIP for call legs: it takes INVITEs, makes calls, and keeps
// their dialogs, so that the code above it sees calls and session descriptions and
// never a SIP message.
//
// # What is ours and what is sipgo's
//
// The grammar of URIs, the messages and the transaction state machines (RFC 3261
// section 17, RFC 6026) are github.com/emiago/sipgo's. Four things around them are
// ours, each because sipgo cannot do it safely (measured with v1.7.2):
//
//   - Sockets (udp.go, tcp.go). sipgo remembers every UDP source for good, refuses
//     to send more than 1,300 bytes by UDP, and ends a TCP listener at the first
//     error of accept.
//   - The split of a message into header fields (message.go) and its checks
//     (check.go). sipgo tells that a message is bad, but not what to answer, and
//     says nothing to the sender.
//   - The table of transactions (transactions.go). sipgo handles each message in a
//     goroutine of its own, so that an INFO overtakes the ACK before it, and its
//     table has no bound.
//   - Dialogs (dialog*.go, invite.go, dial.go).
//
// # Order
//
// Each socket has one goroutine that reads, checks and sorts messages in order of
// arrival; it never waits. Each dialog has a bounded queue, and one goroutine while
// there is something in it (dialog_work.go): all that happens in a dialog happens
// there, in order of arrival, and so do all calls of its DialogHandler. Requests that
// come before the ACK of our 2xx wait for it; a BYE does not.
//
// # Queues, and what happens when one is full
//
//   - A dialog's queue (64): the request is answered 500 with Retry-After; an ACK is
//     dropped, and our retransmitted 2xx brings another.
//   - Requests that wait for an ACK (16): 500 with Retry-After.
//   - Responses of a client transaction (16): dropped; the peer sends them again.
//   - Transactions, unanswered INVITEs, dialogs, connections, sources: Limits.
//
// # What is not here yet
//
// TLS and WebSocket, 100rel (a Require for it gets 420), REGISTER, REFER and
// SUBSCRIBE (405), GRUU and outbound. Max-Forwards of 0 is no error for an end
// point (RFC 4475 section 3.3.11); who calls on behalf of an INVITE has to look at
// Invite.MaxForwards and refuse with 483.
//
// # Times
//
// What this package times itself (2xx retransmission, waiting for the ACK, session
// timers, glare) uses Config.Clock and Config.T1. The timers inside sipgo's
// transactions are variables of its package and run on the system's clock.
package signaling
