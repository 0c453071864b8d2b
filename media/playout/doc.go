// Package playout turns packets that arrive when they like into one frame every 20
// ms: a jitter buffer, the decoder, concealment of what is lost, and re-framing of
// packets of 10 to 60 ms.
//
// The [Buffer] is driven by its owner's tick and has no goroutine. It plays by RTP
// timestamps and orders by sequence numbers:
//
//   - It begins to play when it holds as much as the delay it aims at. The aim
//     follows the lateness of packets: up at once, down slowly.
//   - A packet that is missing while later ones are there is concealed. If nothing is
//     there, the voice fades and the buffer waits where it stopped, so a burst of
//     delay costs delay and not words.
//   - A gap in the timestamps without one in the sequence is silence that the sender
//     left out (DTX).
//   - Delay above the aim, from a burst or from a sender whose clock runs fast, is
//     taken out a frame at a time where it is quiet, and without waiting for quiet
//     where it is large.
package playout
