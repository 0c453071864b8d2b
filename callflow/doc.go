// Package callflow takes a call from its INVITE to a conference and back: who is
// calling, what was dialled, the access-code dialogue, the authorizations, the
// join, keys and hold, the end and the charge.
//
// It is the one package that knows signalling, media, conferences, billing and
// sites, and brings them together; they do not know one another.
//
// What happens elsewhere (digits and finished prompts from the media tick, re-INVITE
// and BYE from the dialog, release by the conference) reaches a call through bounded
// queues, and wakes it: one goroutine at a time, which owns the call's state, handles
// all that there is, and ends (work.go). At every moment a call is in exactly one phase:
//
//	dialogue ──► joining ──► conference ──► leaving ──► ended
//	    └───────────┴─────────────────────────▲
//
// The media of a call whose conference is at another node is relayed, or goes past this
// node (media_direct.go); either way its dialog, its money and its trace stay here.
//
// Every call leaves a trace: each step with its time and outcome (SPEC CA8).
package callflow
