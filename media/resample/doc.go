// Package resample converts audio between the sample rates of telephony, frame by frame:
// 8, 16 and 48 kHz, and 12, 24 and 32 kHz that some codecs have.
//
// All conversions use one design of a linear-phase filter in polyphase form: an ideal
// low-pass at half of the lower rate under a Kaiser window that reaches over 30 samples
// of the lower rate. It is flat (0.05 dB) up to 0.425 of the lower rate, 3.4 kHz at
// 8 kHz, and stops (55 dB) from 0.575 of it, 4.6 kHz; what folds in between lands above
// 3.4 kHz, outside of the telephone band, and is 6 dB down at 4 kHz. Going up to a
// multiple, the samples that were there pass unchanged.
//
// The delay is 15 samples of the lower rate: 1.9 ms to or from 8 kHz, 0.9 ms between 16
// and 48 kHz.
package resample
