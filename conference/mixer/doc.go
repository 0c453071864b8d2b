// Package mixer makes what each caller hears: everybody who may be heard, less
// the caller's own voice (N-1), with announcements and music.
//
// A [Mixer] is ticked once in 20 ms. A tick takes one frame from every port, adds
// up those who speak, and gives each port its frame. Listeners who hear exactly
// the same share one mix and, where the codec has no memory, one encoding.
//
// A [Port] is one caller's leg. It is in one mixer at a time: in one of its own
// during the access-code dialogue, then in the conference's. What a port hears and
// whether it is heard is its [Mode], which the conference sets; a new port is
// silent and deaf until then, so that nothing leaks while a caller moves
// (fail-closed).
//
// The mix runs at the highest sample rate of any port; the others are resampled.
//
// Lock order: mixer, then port, then session. A tick allocates nothing.
package mixer
