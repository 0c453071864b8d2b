// Package load holds many callers on a running node, and measures what they hear.
//
// It is made to cost little beside the node on the same machine. One socket has the
// signalling of all callers, one the audio: the node sends each caller's audio from a
// port of its own, which tells the callers apart. Packets are sent and received in
// batches, spread over the 20 ms of a frame. When a packet arrived is the kernel's word
// (SO_TIMESTAMPNS), so that a late reader does not look like a late node.
//
// A caller dials, keys its room's access code by telephone events (RFC 4733), and then
// speaks a tone of its own without pause: the worst case for a mixer. Of each caller it
// is counted what was lost and how late each packet came against the 20 ms cadence of
// its stream; some callers' audio is kept, and must hold the tones of the others in the
// room and not the caller's own.
package load
