// Package screening decides who is calling and whether they may (SPEC CA1, SE1). It
// does no I/O of its own: the owner hands it what came in, and answers.
//
// Three parts, in the order that a call meets them:
//
//   - [Guard] remembers who failed of late, and locks them out for a while, longer
//     each time. It is asked before anything else is looked at, and told how a
//     password or an access code turned out.
//   - [Decide] picks the call-handling rule: trusted by its address, to be
//     authenticated, or refused. No rule means refused.
//   - [Challenger] is the server side of digest authentication (RFC 3261 section 22,
//     RFC 7616, RFC 8760).
//
// A caller without credentials gets 401 with two challenges, SHA-256 before MD5, and
// comes back:
//
//	Verify ──Accepted──► the call goes on; Guard.Success
//	       ──Missing───► 401, new challenges
//	       ──Stale─────► 401, new challenges that say stale=true; not a failure
//	       ──Wrong─────► 401, new challenges; Guard.Fail
//	       ──Malformed─► 400
//
// Nonces are not kept: each is signed with a key that only this process has, and
// bound to the caller's address. What is kept is how far the count (nc) of each
// nonce in use has come, so that nothing heard on the wire can be used again.
// Memory is bounded everywhere, and what happens at the bound is fail-closed.
//
// Passwords, hashes and digits are in no error and no log.
package screening
