// Package tone makes the sounds that test callers speak with, and measures what
// they hear.
//
// Levels are in dBFS, of the RMS, relative to a square wave of full scale: the
// loudest sine is at -3 dBFS. The tones of callers in one test should lie 200 Hz
// apart or more, away from each other's harmonics, and under 3,400 Hz; [Caller]
// gives a series that does.
package tone
