// Package g722 is ITU-T Recommendation G.722 in its 64 kbit/s mode: 7 kHz audio,
// sampled at 16 kHz, one octet for every two samples.
//
// A pair of quadrature mirror filters splits the signal into two bands of 4 kHz,
// and each band is coded by adaptive differential PCM of its own: six bits for
// the lower band, two for the upper. The names in the code follow section 6.2 of
// the Recommendation (blocks QUANTL, INVQAL, LOGSCL, SCALEL, UPPOL1 and so on),
// in words where there is one.
//
// RTP carries the octets as they are, with a timestamp clock of 8000 Hz (RFC
// 3551 section 4.5.2); that the audio has 16 kHz is known by the name only.
package g722
