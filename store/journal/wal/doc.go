// Package wal is a log on disk from which entries are taken away in any order, but
// which gives them back in the order in which they were put in.
//
// # On disk
//
// A log is a folder of segments, named by the sequence number of their first entry. A
// segment is a header and frames:
//
//	segment  "CJ01" | first sequence number (8)
//	frame    length of the body (4) | CRC-32C of kind, number and body (4) | kind (1) | number (8) | body
//
// All integers are little-endian. There are two kinds of frames: an entry, whose number
// is its sequence number; and marks, whose body lists entries that are done with.
//
// # What is promised
//
// Append returns when its entries are on the disk (fsync). Those who append at the same
// time share one fsync. An entry is there until Done; a crash may bring back entries
// whose Done was not on the disk yet, so whoever takes entries must be able to take one
// twice. Segments are removed from the oldest on, when all their entries are done: a
// mark always outlives what it is about.
//
// # What goes wrong
//
//   - A crash tears the last frame: it is cut off, and so is everything behind it that
//     is no frame. Nothing of it had been acknowledged.
//   - Bytes go bad in the middle: the frames before and behind are kept; the bad bytes
//     are copied to a file beside the log, for somebody to look at.
//   - The disk is full, or the log has its configured size: Append says so (ErrFull), and
//     what was there stays. Entries that are not essential are refused when an eighth
//     of the size is still free.
//   - fsync fails: its entries are taken back and Append returns the error; the log goes
//     on in a new segment, because what a failed fsync has left behind is not known.
package wal
