// Package dialogue is the conversation by which a caller says which room: prompt,
// digits, up to three tries, and where the room wants it the caller's recorded
// name (SPEC CA4).
//
// A [Dialogue] is pure: what happened and the time go in, what to do comes out.
// The owner plays, looks up and hangs up.
//
//	asking ──digit──► entering ──# / length / pause──► looking up ──found──► (naming) ──► done
//	   ▲  silence                                          │ not found
//	   └───────────────────── next try ◄───────────────────┘  … after the last: over
//
// A digit stops the prompt. "*" clears what was entered. Silence counts as a try.
package dialogue
