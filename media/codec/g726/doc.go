// Package g726 is ITU-T Recommendation G.726: adaptive differential PCM at 16,
// 24, 32 and 40 kbit/s, which is two to five bits for each sample of 8 kHz audio.
//
// What a predictor foretells of a sample is taken from it, and the difference is
// coded in steps that grow and shrink with the signal. Encoder and decoder run
// the same predictor and the same scale on the same codes, so that they stay in
// step without being told. The names in the code follow section 4.2 of the
// Recommendation (blocks FMULT, ACCUM, LOG, UPA1, TRANS and so on), in words
// where there is one. The input is linear: blocks EXPAND, COMPRESS and SYNC, which
// are for tandems of G.711, are left out as Annex A has it.
//
// The Recommendation does not say how codes are packed into octets, and there are
// two ways: see [Order].
package g726
