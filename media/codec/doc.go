// Package codec says which audio codecs this node has, and makes their encoders
// and decoders.
//
// A [Codec] is a [Format], which is what SDP negotiates, and two constructors.
// A [Registry] holds the codecs in order of preference. It tries each one on a
// known piece of audio when it is made, so that a codec whose library is missing
// or broken is listed as disabled, with the reason, and is never offered to a
// peer. [Standard] holds those that are pure Go and always work; [All] adds those
// whose libraries are loaded at run time (package native).
//
// The codecs themselves are packages of their own below this one; they know
// nothing of the registry. Encoders and decoders do not allocate after they are
// made (libraries may, in memory of their own), never panic on any payload, and are
// for one goroutine at a time.
package codec
