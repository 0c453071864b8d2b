// Package dtmf takes keys out of a call in the three ways that telephones send
// them, and keeps them out of what the others hear:
//
//   - as telephone events in RTP (RFC 4733): [Receiver], and [Sender] for the way
//     out;
//   - as tones in the audio (ITU-T Q.23, detected within the limits of Q.24):
//     [Detector], [Filter], and [Generate] for the way out;
//   - as the body of a SIP INFO: [ParseInfo].
//
// A caller's keys come one way only, the one that was negotiated: a telephone
// that sends events often leaves the tone in the audio too. So listen for digits
// in the audio only where no events were agreed; a [Filter] may run in any case,
// its digits ignored.
//
// Everything here is pure: packets, frames and bodies in, digits out. Nothing
// allocates after construction except [Generate] and the errors of [ParseInfo].
package dtmf
