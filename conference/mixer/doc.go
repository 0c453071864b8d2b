// Package mixer makes what each caller hears: those who are heard, less the caller's own
// voice (N-1), with announcements and music.
//
// A [Mixer] is ticked once in 20 ms. A tick takes a frame from every port (take.go); it
// decodes those alone who may be heard, or whose keys are in their audio. Of a crowd it
// chooses the loudest few who speak (turn.go), brings them to one loudness (package voice)
// and to one rate, adds them up with announcements and comfort noise, and turns the sum
// down where it is too loud (limiter.go). Then each port is given its frame (give.go):
// those who hear the same share one, resampled once for each rate and encoded once for
// each codec and packet time (frame.go), also by codecs with memory.
//
// The gain of the limiter is one for all: the mix, and the mix less each speaker's voice,
// are below the ceiling with it. Everything that is subtracted has passed the same way as
// what it is subtracted from, so nothing of a speaker's voice comes back to it.
//
// A [Port] is one caller's leg. It is in one mixer at a time: in one of its own
// during the access-code dialogue, then in the conference's. What a port hears and
// whether it is heard is its [Mode], which the conference sets; a new port is
// silent and deaf until then, so that nothing leaks while a caller moves
// (fail-closed).
//
// The mix runs at 8, 16 or 48 kHz: the best that any port can hear (rate.go).
//
// Lock order: mixer, then port, then session. A tick allocates nothing but when a port, a
// rate, a codec or a speaker comes for the first time.
package mixer
