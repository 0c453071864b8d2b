// Package testenv is the place of all that drives Conclave from outside, as the
// world does: processes, SIP, RTP, HTTP. None of it imports the program's insides,
// so a test written with it holds for any build, and for other systems.
//
//	tools      which Debian packages a test needs, and what happens without them
//	loopback   ports on 127.0.0.1 that no other test has
//	process    child processes that never outlive their test
//	postgres   a database server; postgres/server has it without a test
//	node       the real program, built once, started with ports of its own
//	sipp       SIPp: callers by script, refusals, late offer, CANCEL, load
//	baresip    baresip: a telephone that talks, keys, holds, and records
//	pcap       RTP streams of digits and sound for SIPp to play
//	tone       sounds to talk with, and measurements of what was heard; tone/speech speaks
//	netns      network namespaces, and what runs inside them
//	wan        the network between sites, made to go wrong on demand
//	caller     light telephones of our own, for large numbers
//	load       very many of them on one node: how many it holds, what they hear, soaks
//	lab        several sites on one machine, put together of all these
//
// What lab is made of takes no *testing.T, since `node lab` gives it to users.
//
// A conversation is tested by giving each caller a tone of its own and looking
// for the tones of the others in what each has recorded.
package testenv
