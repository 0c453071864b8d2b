// Package quality says how good voice over a network is heard, from what can be counted:
// packets that are lost or come too late, and delay.
//
// The rating is the E-model of ITU-T G.107, and for wideband codecs that of G.107.1: a
// factor R from 0 to 100, and the mean opinion score (MOS) that it stands for, from 1 to
// 4.5. What a network cannot tell, such as noise in a room or the echo of a handset, has
// the default of the Recommendation; so a perfect G.711 call has R 93.2 and MOS 4.41.
// What a codec does to speech, and how it bears loss, is in [CodecNamed]'s table.
//
// A narrowband and a wideband rating are on scales of their own: listeners who know
// wideband expect more. MOS 4.3 of G.722 is not worse to hear than 4.4 of G.711.
//
// [Losses] is the pattern of losses, in bursts and gaps, as RTCP reports it (RFC 3611
// section 4.7). [Meter] rates one direction of a call interval by interval, and keeps the
// mean and the worst.
//
// Everything here is pure: counts, delays and times go in, figures come out. Nothing
// allocates.
package quality
