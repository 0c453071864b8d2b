// Package sipp runs SIPp as callers and as called parties. A call is a script of
// [Step]s, from which the XML scenario is written; what happened is read back from
// SIPp's own trace, so a call that goes otherwise than expected is reported and
// not only failed.
//
// A caller that keys a code by telephone events, talks, and hangs up:
//
//	speech := pcap.New(pcap.PCMU).Silence(time.Second).Keys("1234#").Sound(sine)
//	result := sipp.Call(t, ctx, sipp.Caller{
//		Target: node.SIP(), Number: "5550100",
//		Steps: []sipp.Step{sipp.Play(speech)},
//	})
//
// Playing needs root, since SIPp sends the packets by a raw socket. What comes in
// is not listened to: use package baresip for that, or [Answerer] with Echo.
package sipp
