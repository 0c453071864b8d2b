// Package pcap makes the RTP stream that SIPp plays for a caller: sound in G.711
// and keys as telephone events (RFC 4733) in one stream, with one SSRC and
// sequence numbers without a hole, as a telephone sends them. SIPp itself can do
// neither keys nor tones: it replays captured packets.
//
// The G.711 here is written from the recommendation and shares nothing with the
// program under test.
package pcap
