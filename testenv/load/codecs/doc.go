// Package codecs makes the payloads that load callers send, and sound of those that they
// are sent, by the ffmpeg program. It is nothing of what it measures: a fault that our own
// encoder and decoder share would not be heard with them.
//
// Coding takes place before a measurement and after it, never beside it. Opus reaches
// ffmpeg in Ogg (RFC 3533, RFC 7845), the others as they are.
package codecs
