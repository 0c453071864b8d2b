// Package offeranswer negotiates one audio stream by SDP (RFC 8866) in the
// offer/answer model (RFC 3264), with telephone events (RFC 4733).
//
// It is pure: session descriptions in, session descriptions and a [Media]
// agreement out. What it settles:
//
//   - One audio codec, the first of the offer that we have, so that a peer sends
//     one encoding and nothing switches in mid-call.
//   - The first audio stream with a plain RTP profile; every other stream of the
//     offer is answered with port 0 (RFC 3264 section 6).
//   - Hold: a=sendonly, a=inactive and the older c=0.0.0.0 (section 8.4), each
//     answered with the direction that mirrors it.
package offeranswer
