// Package opus is the Opus codec (RFC 6716) by libopus, which is loaded when the program
// runs: [Open], then a [Library] makes encoders and decoders.
//
// Audio is mono, at 8, 12, 16, 24 or 48 kHz whatever the other end works with: a decoder
// gives its own rate of any packet, and mixes two channels down to one. Packets hold 2.5 to
// 60 ms; RTP carries them as they are, by a clock of 48 kHz (RFC 7587 section 4).
//
// Against loss, a packet may hold a coarse copy of the frame before it (in-band FEC, RFC
// 6716 section 2.1.6), which [Decoder.Recover] decodes when that packet was lost and the
// next one is there; without, [Decoder.Conceal] goes on from what was heard. An encoder puts
// copies in as far as it believes that packets are lost: [Encoder.SetLoss].
//
// An encoder's state is one block, so that another encoder can go on where this one is:
// [Encoder.CopyState].
package opus
