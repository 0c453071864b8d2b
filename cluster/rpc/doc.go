// Package rpc lets nodes ask one another things: HTTP/2 over mutual TLS, with a JSON
// request and a JSON answer.
//
// A [Server] has methods, which are added with [Handle] before it runs. [Call] asks a
// node that is known by its [certs.Identity]; where it is, the [Client] asks its
// Addresses, and it is sure to talk to that node and no other. A call ends when its
// context does, also at the other end.
//
// Errors cross the wire as a code and a message. Which errors of a program have codes,
// a [Codes] says, the same at both ends: errors.Is works on what Call returns as it
// does on what the method returned. Nothing is tried twice here: who calls knows
// whether that is safe.
//
// Everything is bounded: requests and answers by maxBody, the calls of one node that
// are served at once by maxCalls. What is more is refused with [ErrBusy]. [Client.Ping]
// waits for none of them.
package rpc
