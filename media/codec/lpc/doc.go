// Package lpc is the experimental linear predictive vocoder of RFC 3551 section
// 4.5.9: 5.6 kbit/s, 14 octets for each 20 ms of 8 kHz audio.
//
// The encoder (analysis.go, pitch.go) sends no samples but a model of the voice:
// the filter that the throat and mouth are, how loud it is driven, and by what: by
// pulses of a pitch (a voiced sound) or by noise. The decoder (synthesis.go) drives
// such a filter. Speech stays understandable and can be told apart; music does not.
//
// RFC 3551 gives the frame's length only. Its contents are those of the program
// that it names, as RAT, MAST and Speak Freely have them on the wire:
//
//	pitch period in samples, 16 bits with 8 fractional ones, most significant octet
//	first; 0 is noise
//	gain, 8 bits, all fractional: the root of the energy that drives the filter, of
//	240 samples at full scale 1
//	ten reflection coefficients, 8 bits each, signed, 7 fractional bits
//	padding, 8 bits, 0
//
// This is not LPC-10 (FS-1015), which some telephones call LPC too; its frames have
// 7 octets for 22.5 ms.
package lpc
