// Package voice tells voice from noise on a telephone line, and brings voices to one
// loudness. It is pure: frames of 20 ms in, figures out.
//
// A [Detector] follows the noise of one line: the least level of some 1.3 s of frames
// that have no pitch. A frame counts as sound when it is 12 dB above that, or 4 dB and
// has a pitch (its autocorrelation, 2.5 to 16 ms apart, is over one half). What is 10 dB
// weaker without its part below 200 Hz is mains hum, whatever its pitch. Because what has
// a pitch is never learned as noise, a tone or music goes on counting as sound for as long
// as it lasts; and the first frame of it counts. When in doubt, a frame is sound: who is
// let through by mistake adds a little noise, who is not loses a word.
//
// A [Gain] brings a speaker towards -20 dBFS of active speech level (after the idea of
// ITU-T P.56: pauses do not count), by -6 to +15 dB, slowly, and only while there is
// voice. It leaves what is within 3 dB alone, and never brings the line's noise above
// -50 dBFS.
//
// Levels are those of the mean square in dB relative to a full-scale square wave (0 dBFS
// is 32768), so a sine at full scale has -3 dBFS.
package voice
