// Package load holds many callers on a running node, and measures what they hear.
//
// It is made to cost little beside the node on the same machine. One socket has the
// signalling of all callers, one the audio: the node sends each caller's audio from a
// port of its own, which tells the callers apart. Packets are sent and received in
// batches, spread over the 20 ms of a frame. When a packet arrived is the kernel's word
// (SO_TIMESTAMPNS), so that a late reader does not look like a late node.
//
// A caller dials, keys its room's access code by telephone events (RFC 4733), and then
// speaks a tone of its own without pause, the worst case for a mixer, or keeps silent. Of
// each caller it is counted what was lost and how late each packet came against the 20 ms
// cadence of its stream. What some callers hear is written to files, and is decoded and
// judged when all have left (load/codecs, load/judge).
//
//	load.go      what to put on a node; the simple run: all come, stay, and go
//	crowd.go     the callers of a run, and the goroutines that serve them
//	seats.go     who sits where, speaks or not, in which codec
//	churn.go     callers come and go
//	phone.go     their signalling; call.go its messages
//	audio.go     their RTP: sockets and batches; stream.go one caller's, spool.go what it hears
//	window.go    what is measured from one moment to another
//	attendance.go, hear.go   who was there when, and what listeners heard of it
//	target.go    the node; api.go questions to it, figures.go what it says of itself,
//	             recordings.go its recordings
//	bare.go      what the bare system calls cost on this machine
package load
