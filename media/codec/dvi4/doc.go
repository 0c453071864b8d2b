// Package dvi4 is DVI4 of RFC 3551 section 4.5.1: the adaptive differential PCM of
// the Interactive Multimedia Association, four bits for each sample, at any sample
// rate.
//
// A code says how far the next sample is from the last, in steps that grow with
// large codes and shrink with small ones. Each payload begins with the predicted
// value and the step that its first code goes on from, so that a lost packet is
// not heard in those behind it:
//
//	predicted value, 16 bits, signed, most significant octet first
//	index of the step, 8 bits, 0 to 88
//	reserved, 8 bits, 0
//	codes, the first of an octet in its upper four bits
//
// It differs from the IMA's own blocks, whose header has the first sample.
package dvi4
