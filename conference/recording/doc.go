// Package recording writes what is heard in conferences to files.
//
// A [Recorder] is a node's. It starts a [Segment]: one part of a recording, in a folder of
// its own, without a break. A Segment is the tap of a mixer. In the tick it only copies
// what it is given into a ring; a goroutine of its own takes it out and writes files. So a
// disk that is slow, or full, never delays a tick:
//
//   - The ring is full: what does not fit is lost. The files have silence in its place, so
//     that they stay in step with time and with one another, and the segment tells how
//     often and how much.
//   - The ring stays full for [GiveUp]: the segment ends as too slow.
//   - The disk has less than Config.MinFree left: the segment ends as disk-full, before it
//     takes the space of those who need it more, such as the node's journal.
//
// The end is told to Spec.Ended, and the conference goes on.
//
// # Files
//
//	CONFERENCE/RECORDING-NNN/    segment number NNN
//	    mix.wav                  what everybody heard; or mix.ogg
//	    PARTICIPANT.wav          what one participant said, where tracks are wanted
//	    segment.json             what this is, how it ended, and where there are gaps
//
// All audio files of a segment begin at the same instant and have the same length. WAV is
// 16-bit PCM, mono, at the rate that the mix had first; when that changes it is resampled.
// Ogg is Opus (RFC 7845). Files are whole at every moment, but for the second that is
// being written: the header of a WAV file is corrected after each write, never before, and
// pages of Ogg stand for themselves. An [Archive] finishes those of a node that has died.
//
// segment.json has its final size from the beginning on: the end is written to it even
// when the disk is full.
package recording
