// Package handover makes and checks the proof that a forwarded INVITE carries: which
// node of the cluster sends it, for whom and to where.
//
// The proof is a JSON Web Token (RFC 7519) signed by HMAC-SHA-256 with a key that the
// cluster's nodes share. It is bound to the INVITE's Call-ID and to the node that it is
// sent to, lives for [Lifetime], and is taken once. It says whose seat the call is for
// and nothing more: role, account and the rest are in the reservation, which came by
// RPC over mutual TLS before.
package handover
