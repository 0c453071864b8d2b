// Package session is one caller's media: an RTP and an RTCP socket, the format
// that was negotiated, and who may send to us.
//
// A [Session] has no goroutine. Its owner calls Receive, Read and Send once per
// 20 ms tick; Receive drains the sockets, which the kernel has filled meanwhile,
// so that a packet costs no wake-up. Sockets are non-blocking and are not known
// to the Go poller.
//
// System calls are half of what a caller costs. Sessions that one goroutine ticks
// therefore share a [Traffic], by which up to 64 datagrams leave in one system call
// (package uring), where the machine allows it. A peer that is steady is asked for
// one datagram in a tick, which costs less than asking whether there are more
// (receive.go).
//
// Trust (SPEC SE3): packets are taken from the address in the peer's SDP. Where
// the peer sits behind a NAT and none come from there, the first other source
// that sends several consecutive packets of one SSRC is taken instead, once,
// within a short window after each offer/answer. Everything else is a stray: it
// is counted and dropped before it is decoded. Where no NAT can be, nothing is learned
// ([Session.TrustSignalled]).
//
// Quality: both directions are rated by the E-model (package quality), what is heard of the
// peer by what arrives (metering.go), what the peer hears by its reports (reports.go), and by
// its extended reports where it sends them (extended.go).
//
// Locking: one mutex per session, held for the length of a method. It is the
// innermost lock of the media path.
package session
