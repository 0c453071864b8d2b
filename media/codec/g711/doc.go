// Package g711 is ITU-T Recommendation G.711: PCM of one octet per sample, by
// the µ-law (PCMU) and the A-law (PCMA), at any sample rate.
//
// Both laws are piecewise linear: a sign, a segment that doubles in step size
// from one to the next, and four bits within the segment. Linear values here
// are 16 bits wide: the 14 bits of µ-law and the 13 of A-law, shifted up.
package g711
