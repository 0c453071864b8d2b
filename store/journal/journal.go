package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal/wal"
	"github.com/conclave-voice/conclave/store/money"
)

// Store is what records are delivered to.
type Store interface {
	OpenConference(ctx context.Context, c store.Conference) error
	CloseConference(ctx context.Context, id store.ConferenceID, at time.Time, reason string) error
	AppendConferenceEvents(ctx context.Context, events []store.ConferenceEvent) error
	SetParticipantRole(ctx context.Context, id store.ParticipantID, r store.Role, owner bool) error
	MoveParticipant(ctx context.Context, id store.ParticipantID, to store.ConferenceID, focus store.Place, epoch uint64) error
	PutCall(ctx context.Context, c store.Call) error
	AppendCallSteps(ctx context.Context, steps []store.CallStep) error
	BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error
	RecordStay(ctx context.Context, p store.Participant, total money.Amount) error
	TakeStay(ctx context.Context, p store.Participant, total money.Amount) error
	ExtendReservation(ctx context.Context, id store.ParticipantID, total money.Amount) error
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
	PutRecording(ctx context.Context, r store.Recording) error
	PutSegment(ctx context.Context, s store.RecordingSegment) error
	StartRun(ctx context.Context, r store.NodeRun) error
	Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error
	StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error
	Deliver(ctx context.Context, b store.Batch) error
}

// Guard asks the store within a short time, or says at once that it does not answer.
type Guard interface {
	Do(ctx context.Context, ask func(context.Context) error) error
}

// Config is how a journal is kept.
type Config struct {
	wal.Config
	// MinFree is how many bytes have to be free on the disk for new stays to begin; 64
	// MiB if 0. See Accepts.
	MinFree int64
	// Recorded is told of each stay that the store has recorded by RecordStay, and
	// Settled of each that it has settled; Superseded, of each conference that was
	// opened without asking and had lost to a higher epoch: whoever runs it must stop.
	// They are called by Run, and must not wait. nil: nobody is told.
	Recorded, Settled func(store.ParticipantID)
	Superseded        func(store.Conference)
}

// Journal is a node's journal. Make one with Open; call Run. Its methods are safe for
// concurrent use, and work whether or not it runs.
type Journal struct {
	config Config
	store  Store
	guard  Guard
	log    *wal.Log
	dead   deadLetters
	clock  clockwork.Clock
	logger hclog.Logger
	wake   chan struct{} // there is something to deliver

	mu      sync.Mutex
	pending tally // all records, by key
	ahead   tally // those that the store has to know before it is asked about their key
	// rooms says under which key conferences and stays are kept, while they go on.
	rooms    map[string]string
	promises map[store.ParticipantID]Promise // found when it was opened

	letters                             sync.Mutex // the file of dead letters
	delivered, failed, dying, recovered atomic.Uint64
	deadNow                             atomic.Int64
	oldest                              atomic.Int64          // µs since 1970; 0: nothing waits
	unkept                              atomic.Pointer[error] // why the last record was not kept; nil: it was
}

// Promise is a stay of which the store has not been told yet when the journal was opened.
type Promise struct {
	Participant store.Participant
	Total       money.Amount // what it was promised
	Settled     bool
	Cost        money.Amount // of a stay that is settled
}

// Owed is what the promise may cost its account: what the stay has cost, or all of it.
func (p Promise) Owed() money.Amount {
	if p.Settled {
		return p.Cost
	}
	return p.Total
}

// Open opens the journal in its folder, which one process at a time may use, with what an
// earlier run of the node has left in it.
func Open(c Config, s Store, g Guard, clock clockwork.Clock, logger hclog.Logger) (*Journal, error) {
	if c.MinFree == 0 {
		c.MinFree = 64 << 20
	}
	log, damages, err := wal.Open(c.Config)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &Journal{config: c, store: s, guard: g, log: log, dead: deadLetters{filepath.Join(c.Dir, "dead-letters.jsonl")},
		clock: clock, logger: logger, wake: make(chan struct{}, 1),
		pending: tally{}, ahead: tally{}, rooms: map[string]string{}, promises: map[store.ParticipantID]Promise{}}
	for _, d := range damages {
		if d.Torn {
			logger.Warn("the end of the journal was torn by a crash, and cut off; it had not been acknowledged", "segment", d.Segment, "from", d.From, "to", d.To)
		} else {
			logger.Error("the journal was damaged on the disk; records may be lost", "segment", d.Segment, "from", d.From, "to", d.To, "kept", d.Kept, "error", d.Err)
		}
	}
	if err := j.survey(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the journal: %w", err), log.Close())
	}
	return j, nil
}

// survey looks at everything that waits.
func (j *Journal) survey() error {
	for after := uint64(0); ; {
		entries, err := j.log.After(after, 1024)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			after = e.Seq
			r := j.open(e)
			j.recovered.Add(1)
			j.expect(r.Key, r.body)
			j.remember(r)
		}
	}
	n, err := j.dead.count()
	j.deadNow.Store(int64(n))
	if waiting := j.recovered.Load(); waiting > 0 || n > 0 {
		j.logger.Info("the journal has been opened", "waiting", waiting, "dead_letters", n)
	}
	return err
}

// open decodes an entry. What cannot be read has a body that says so when it is delivered.
func (j *Journal) open(e wal.Entry) record {
	r, err := decode(e.Body)
	if e.Err != nil {
		err = e.Err
	}
	if err != nil {
		r.Key, r.body = fmt.Sprint("unreadable/", e.Seq), unreadable{err}
		if r.Body = e.Body; r.At.IsZero() {
			r.At = j.clock.Now()
		}
	}
	r.seq = e.Seq
	return r
}

// remember keeps what later records, and billing, need to know of a record.
func (j *Journal) remember(r record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch b := r.body.(type) {
	case *conferenceOpened:
		j.rooms[string(b.Conference.ID)] = r.Key
	case *stayRecorded:
		j.rooms[string(b.Participant.ID)] = r.Key
		p := j.promises[b.Participant.ID]
		p.Participant, p.Total = b.Participant, max(p.Total, b.Total)
		j.promises[b.Participant.ID] = p
	case *stayTaken:
		j.rooms[string(b.Participant.ID)] = r.Key
	case *staySettled:
		if p, ok := j.promises[b.XDR.ID]; ok {
			p.Settled, p.Cost = true, b.XDR.Amount
			j.promises[b.XDR.ID] = p
		}
	}
}

// Promises are the stays that the journal held when it was opened and that began, or were
// extended, without the store. Those delivered since are among them.
func (j *Journal) Promises() []Promise {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Promise, 0, len(j.promises))
	for _, p := range j.promises {
		list = append(list, p)
	}
	return list
}

// Close closes the log. Run must have ended. What waits is delivered by the next run.
func (j *Journal) Close() error { return j.log.Close() }

// append keeps a record, and returns when it is on the disk. Essential is what money
// depends on.
func (j *Journal) append(essential bool, key string, b body) error {
	text, err := encode(key, j.clock.Now().UTC(), b)
	if err != nil {
		return fmt.Errorf("journal: %w (%w)", store.ErrInvalid, err)
	}
	return j.put(essential, key, b, text)
}

func (j *Journal) put(essential bool, key string, b body, text []byte) error {
	j.expect(key, b)
	if _, err := j.log.Append(essential, text); err != nil {
		j.gone(key, b)
		j.unkept.Store(&err)
		return fmt.Errorf("journal: %w", err)
	}
	j.unkept.Store(nil)
	select {
	case j.wake <- struct{}{}:
	default: // Run has not looked since the last time, and will
	}
	return nil
}

// expect counts a record of a key.
func (j *Journal) expect(key string, b body) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending.add(key)
	if precedes(b) {
		j.ahead.add(key)
	}
}

// gone counts one less.
func (j *Journal) gone(key string, b body) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending.drop(key)
	if precedes(b) {
		j.ahead.drop(key)
	}
}

// flushed waits until the store knows what it has to know of the key, or ctx is done.
func (j *Journal) flushed(ctx context.Context, key string) error {
	j.mu.Lock()
	w := j.ahead[key]
	j.mu.Unlock()
	if w == nil {
		return nil
	}
	select {
	case <-w.none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drained waits until everything that waits now has been delivered or is a dead letter,
// or until ctx is done.
func (j *Journal) Drained(ctx context.Context) error {
	j.mu.Lock()
	var all []*waiting
	for _, w := range j.pending {
		all = append(all, w)
	}
	j.mu.Unlock()
	for _, w := range all {
		select {
		case <-w.none:
		case <-ctx.Done():
			return fmt.Errorf("wait for the journal: %w", ctx.Err())
		}
	}
	return nil
}

// Accepts is nil while a stay that begins now can be recorded to its end. Otherwise it
// says why new calls are to be refused, before the records of those that go on are lost:
// three quarters of the log are in use, the disk is nearly full, or it failed last.
func (j *Journal) Accepts() error {
	u := j.log.Usage()
	failed := j.unkept.Load()
	switch {
	case failed != nil:
		return fmt.Errorf("journal: the last record could not be kept: %w", *failed)
	case u.Bytes > u.Max/4*3:
		return fmt.Errorf("journal: %w: %d of %d bytes are in use; the store has to take what waits", wal.ErrFull, u.Bytes, u.Max)
	case u.Free >= 0 && u.Free < j.config.MinFree:
		return fmt.Errorf("journal: %w: %d bytes are free on the disk of %s, %d have to be; make room on it", wal.ErrFull, u.Free, j.config.Dir, j.config.MinFree)
	}
	return nil
}

// Stats tell how it goes.
type Stats struct {
	wal.Usage
	Recovered   uint64    // records that an earlier run had left
	Delivered   uint64    // records that the store has taken since the start
	Failed      uint64    // attempts that are repeated
	Died        uint64    // records that became dead letters since the start
	DeadLetters int64     // records in the file of dead letters
	Oldest      time.Time // when the record was made that waits longest, as of the last second or so; zero: none
}

// Stats tells how it goes.
func (j *Journal) Stats() Stats {
	s := Stats{Usage: j.log.Usage(), Recovered: j.recovered.Load(), Delivered: j.delivered.Load(),
		Failed: j.failed.Load(), Died: j.dying.Load(), DeadLetters: j.deadNow.Load()}
	if at := j.oldest.Load(); at != 0 && s.Waiting > 0 {
		s.Oldest = time.UnixMicro(at).UTC()
	}
	return s
}
