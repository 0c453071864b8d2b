// Package playout turns the packets of one RTP stream, which come early, late,
// twice, out of order or never, into one frame of 20 ms of audio per tick.
//
// A [Buffer] has two clocks. Its own counts the samples that were read; the
// sender's is in the RTP timestamps. A packet's transit is the difference of the
// two when it is pushed. The smallest transit of the last seconds is the base;
// what others have above it is their jitter. The delay of the buffer is how long
// a packet of the base transit waits before it is played, and its target is what
// 99 of 100 packets need (delay.go). So that nothing is heard of it, the delay
// changes
//
//   - in silence, at once;
//   - by itself, when a packet comes too late: what was played instead is time
//     that was put in;
//   - else by a pitch period at a time, put in or taken out where the signal
//     repeats itself or is quiet (stretch.go). Drift of the sender's clock is
//     nothing else than a base that moves.
//
// What is missing is filled by the codec, if it can: from a copy in the packet after it
// (FEC), or by its own concealment (mend.go). Otherwise the last pitch periods are
// repeated, fading out within 60 ms, as in Appendix I of ITU-T G.711 (conceal.go). A gap
// in the timestamps with no gap in the sequence numbers is no loss: the sender was silent.
//
// Everything is bounded and nothing allocates after New. Push and Read are for
// one goroutine at a time; Read is called once per 20 ms, after what has arrived
// was pushed. A buffer takes 6 kB at 8 kHz and 8 kB at 16 kHz.
package playout
