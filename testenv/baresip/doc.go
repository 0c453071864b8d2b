// Package baresip runs baresip as a telephone without a sound card: it talks from
// a file, records what it hears, and is told what to do over its control port.
//
//	alice := baresip.Start(t, baresip.Options{Name: "alice", Tone: tone.Caller(0)})
//	bob := baresip.Start(t, baresip.Options{Name: "bob", Tone: tone.Caller(1)})
//	... both: phone.Call(ctx, "5550100", node.SIP()); phone.SendDigits(ctx, "1234#")
//	err := alice.Hears(ctx, tone.Caller(1), time.Second)
//
// Waiting for what a phone hears is how a test waits: no sleeps.
package baresip
