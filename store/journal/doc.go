// Package journal takes what a node has to tell the store, keeps it on the node's disk,
// and delivers it: in order, once in effect, however long the store is away and however
// often the node is restarted meanwhile.
//
// # What goes through it
//
// [Journal] has the store's own methods. Those that tell what has taken place are
// appended to a log on disk ([wal]) and return when they are there (fsync); delivery
// follows at once when all is well. Two kinds of question cannot wait: whether a conference
// may be opened (its epoch), and whether there is money (BeginStay, ExtendReservation).
// They go to the store directly, once it knows of the conferences and promises of the same
// room; histories are not waited for. When the store does not answer, OpenConference is
// journaled and a conference that loses against a higher epoch is told later
// (Config.Superseded); for money, package billing decides, and tells by RecordStay what it
// promised.
//
// # Order
//
// Records are delivered in order within a key: a room (its conferences, stays and their
// history), a call, a run of the node. Keys do not wait for one another. Whatever is
// delivered may be delivered again after a crash; the store's writes are idempotent by
// the ids that they name.
//
// What has piled up is delivered in batches, of many keys at once and of one transaction
// each: after an outage a database far away would else be asked for minutes. A batch that
// is refused is delivered record by record.
//
// # What goes wrong
//
//   - The store does not answer: one record at a time is tried, every second at least,
//     until it does.
//   - The store refuses a record for good (ErrInvalid, ErrNotFound …): it goes to the file
//     dead-letters.jsonl with the reason, is counted ([Stats]) and logged. The records
//     behind it go on. [Journal.Requeue] puts dead letters back, once the cause is gone, and
//     [Journal.Discard] gives them up: discarded-letters.jsonl has them, with who and why.
//   - A stay arrives before its conference, which another node has in its own journal: it
//     waits, some 45 minutes at most, and what is behind it.
//   - A record fails again and again while others succeed: after a hundred attempts it is
//     a dead letter, too.
//   - The disk or the log is filling up: [Journal.Accepts] says so when three quarters of
//     the log are in use, and new calls are refused. The last eighth is for stays that have
//     begun: histories, traces and new stays get wal.ErrFull. When that is used up too,
//     SettleStay tells the store directly. What is in the log stays, and delivery makes room.
//   - The process dies: what was acknowledged is there at the next start. A frame that
//     was being written is cut off, and logged.
package journal
