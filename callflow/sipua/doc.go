// Package signaling is the thin, safe layer over the SIP stack: it validates what
// arrives, keeps the messages of a dialog in order, retransmits what the stack does
// not, and runs session timers, so that the rest of the program sees calls.
//
// The stack (emiago/sipgo) gives parser, transports and transactions; dialogs are
// ours. Where the stack has to be worked around, the place says why:
//
//   - It hands each message to a goroutine of its own. The order of arrival is
//     noted before that (Endpoint.arrived), and each [Dialog] takes its requests in
//     that order, one after the other; a BYE, INFO or re-INVITE waits for the ACK.
//   - It has no recover: every handler here runs under one.
//   - It is silent about messages it cannot parse, where RFC 3261 wants 400
//     (packets.go), and remembers every UDP source for good (packetConn).
//   - It does not retransmit a 2xx to a re-INVITE, nor end a call whose 2xx is never
//     acknowledged (Dialog.loop).
package signaling
