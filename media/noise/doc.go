// Package noise makes comfort noise: what a line sounds like on which nobody speaks, so
// that a listener does not take silence for the end of the call.
//
// The noise falls by 6 dB in each octave above 1 kHz, as the noise of rooms and
// telephones about does. Levels are in dB relative to a full-scale square wave (dBFS, or
// the dBov of RFC 3389); telephony's dBm0 is 6.2 dB below that: see [FromDBm0].
package noise
