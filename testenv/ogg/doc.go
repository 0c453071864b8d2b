// Package ogg writes and reads Ogg streams (RFC 3533), which is how packets of Opus and Speex
// reach other programs, and come from them.
package ogg
