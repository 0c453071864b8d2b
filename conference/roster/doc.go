// Package roster decides who is in a conference, in which role and mode, and who
// hears whom. It is pure: no I/O, no clock, no lock.
//
// A [Roster] changes only by [Event]s. A command method (Join, Mute, Lock, Tick …)
// looks at the state and returns the events that follow from it, already applied,
// or a [Refusal]. The events, kept in order, are the conference's history: the
// same events applied to an empty roster give back the state of any past instant
// (SPEC CA8), and a focus that takes a conference over starts from them.
//
// The rules:
//
//   - A moderated room is closed until a moderator is in: guests wait, hear music
//     and neither hear nor are heard. From then on it is open, whoever leaves.
//   - When the last moderator leaves a moderated room, the conference ends after
//     the room's end grace, unless a moderator comes back. A moderator who can no
//     longer be reached has not left: then the lost grace counts, and none means
//     that the conference goes on.
//   - There is exactly one owner as long as a moderator is in: the first one, then
//     whichever has been there longest.
//   - A participant is heard who is a moderator or speaker, is not muted by
//     itself, not muted by a moderator, and not on hold. One muted by a moderator
//     stays so until a moderator says otherwise.
//   - Where the room lets them, moderators have the conference recorded, and stop it again;
//     where it is always recorded, from the first participant on, only the API stops it. A
//     recording ends with the conference; where the conference goes on at another node, so
//     does the recording, with the next segment.
//   - Mute-all mutes everyone but moderators, those who come later too.
package roster
