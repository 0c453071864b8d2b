// Package g729 is ITU-T G.729 with Annexes A and B at 8 kbit/s, by the library bcg729.
//
// bcg729 is under the GPL. Nothing here is linked with it or made from it: it is loaded, by
// [Open], when the program runs and where the operator has installed it.
//
// A frame has 10 ms and 10 octets; a packet holds several (RFC 3551 section 4.5.6). A frame
// of comfort noise, by Annex B, has 2 octets and is the last of its packet; where nothing
// has changed since, a sender that is silent sends nothing.
package g729
