// Package ilbc is the internet Low Bitrate Codec of RFC 3951: narrowband speech in
// frames of 20 ms (38 octets, 15.2 kbit/s) or 30 ms (50 octets, 13.33 kbit/s), with
// the enhancer and the loss concealment that the RFC describes.
//
// A frame needs no frame before it: what a lost packet damages is that packet, and
// little of the next. The encoder works in this order, the decoder the other way
// round:
//
//   - lpc.go, lsf.go: the spectrum is a filter of ten coefficients, sent as line
//     spectral frequencies; what it leaves of the speech is the residual.
//   - startstate.go: the strongest 57 or 58 samples of the residual are sent one by
//     one, three bits each.
//   - excitation.go: from there the rest of the frame is built, block by block,
//     first on to its end, then back to its beginning, with time reversed.
//   - codebook.go, search.go, gain.go: each block is a sum of three stretches of what
//     is built already, each with a gain.
//   - packing.go: the bits, the most important ones first.
//
// The decoder then makes the residual more periodic (enhancer.go) or, for a frame that
// is missing, repeats it (conceal.go), and puts the spectrum back.
//
// Section numbers in comments are those of RFC 3951. The arithmetic is in floating
// point, as in the RFC: decoders differ from one another by rounding, and two encoders
// may choose different bits for the same audio.
//
// RTP carries frames one after the other, without a header (RFC 3952 section 3).
package ilbc
