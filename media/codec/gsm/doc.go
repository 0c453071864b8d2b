// Package gsm is GSM 06.10 full rate (now ETSI EN 300 961): 13 kbit/s, 33 octets
// for each 20 ms of 8 kHz audio.
//
// A frame of 160 samples is coded in three steps, each on what the one before
// leaves over:
//
//   - short term (shortterm.go): a lattice filter of eighth order takes out what
//     neighbouring samples tell of one another. Its coefficients are found by
//     autocorrelation (reflection.go) and sent as log area ratios (areas.go).
//   - long term (longterm.go): of each quarter of the frame, what the last 40 to
//     120 samples foretell is subtracted: the pitch of a voice.
//   - excitation (excitation.go): every third sample of the rest, 13 a quarter, is
//     sent in three bits, scaled to the largest.
//
// The standard defines all of it to the bit, in 16-bit fixed point with saturation
// (arithmetic.go). Sections are those of its chapter 5. Names of its variables
// are given where the code calls them something else.
//
// RTP carries the bits in the order of RFC 3551 section 4.5.8 (packing.go).
package gsm
