// Package speex is the Speex codec, narrowband at 8 kHz and wideband at 16 kHz, by
// libspeex, which is loaded when the program runs: [Open], then a [Library] makes encoders
// and decoders.
//
// A frame has 20 ms. RTP (RFC 5574) puts one frame or more, as bits without a seam, into a
// packet and pads it with a zero and ones to whole octets. A frame says itself how it was
// coded, and so a decoder takes every bit rate; a wideband frame is a narrowband one with a
// layer added, which narrowband decoders skip. The frames of a packet are counted before
// the library sees it (frames.go): it would print a line about each that is malformed.
package speex
