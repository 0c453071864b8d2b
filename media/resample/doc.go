// Package resample turns 8 kHz audio into 16 kHz audio and back, frame by frame.
//
// Both ways use one linear-phase half-band filter in polyphase form: every other
// tap of it is zero, so that going up half of the samples pass through unchanged
// and going down half of the products fall away. It is flat to 3.4 kHz and stops
// from 4.6 kHz; what folds between the two lands above 3.4 kHz, outside the
// telephone band, and is 6 dB down at 4 kHz.
//
// The delay is 1.9 ms going up and 1.8 ms going down.
package resample
