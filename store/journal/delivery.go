package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const (
	// atOnce is how many records, or batches of them, are under way together: enough that
	// one slow row does not keep the others, few enough to leave connections to the calls
	// that begin.
	atOnce = 4
	// window is how many records are in memory. While so many wait, the others stay
	// on disk.
	window      = 4096
	attemptTime = 10 * time.Second // for one attempt
	batchTime   = 30 * time.Second // for one of many records: other nodes deliver too, and wait for each other
	lastTime    = 5 * time.Second  // for what is left when the node stops
	lookEvery   = time.Second
	readAtOnce  = 256 // records, from the log
)

// unreadable is a record that cannot be delivered.
type unreadable struct{ err error }

func (u unreadable) deliver(context.Context, Store) error { return u.err }

// Run delivers until ctx is done, and then, for at most 5 s, what is left. The rest waits
// for the next run of the node.
func (j *Journal) Run(ctx context.Context) error {
	attempts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	d := &delivery{journal: j, ctx: attempts, schedule: newSchedule(atOnce), results: make(chan result, atOnce)}
	d.loop(ctx.Done(), nil)
	deadline := j.clock.NewTimer(lastTime)
	defer deadline.Stop()
	d.schedule.hurry()
	d.loop(nil, deadline.Chan())
	cancel()
	for d.schedule.underWay > 0 {
		d.finish(<-d.results)
	}
	if n := j.log.Usage().Waiting; n > 0 {
		j.logger.Warn("records wait in the journal for the next start of this node", "records", n)
	}
	return nil
}

// delivery is the state of Run, owned by its goroutine.
type delivery struct {
	journal  *Journal
	ctx      context.Context // of the attempts
	schedule *schedule
	results  chan result
	read     uint64    // the last record that was taken from the log
	looked   time.Time // for the oldest
}

// result is what came of an attempt.
type result struct {
	work []record
	err  error
}

// loop runs until done or deadline; with a deadline also ends when nothing is left.
func (d *delivery) loop(done <-chan struct{}, deadline <-chan time.Time) {
	timer := d.journal.clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		unread := d.fill()
		wake := d.launch()
		d.look()
		if deadline != nil && d.schedule.held == 0 {
			return
		}
		if unread != nil {
			d.journal.logger.Error("the journal cannot be read; trying again", "error", unread)
			wake = d.journal.clock.Now().Add(lookEvery)
		}
		now := d.journal.clock.Now()
		if wake.IsZero() {
			wake = now.Add(time.Hour)
		}
		timer.Reset(max(wake.Sub(now), 0))
		select {
		case <-d.journal.wake:
		case r := <-d.results:
			d.finish(r)
		case <-timer.Chan():
		case <-done:
			return
		case <-deadline:
			return
		}
	}
}

// fill takes records from the log while there is room for them.
func (d *delivery) fill() error {
	for d.schedule.held < window {
		entries, err := d.journal.log.After(d.read, min(window-d.schedule.held, readAtOnce))
		if err != nil {
			return err
		}
		for _, e := range entries {
			d.read = e.Seq
			d.schedule.add(d.journal.open(e))
		}
		if len(entries) == 0 {
			return nil
		}
	}
	return nil
}

// launch begins what may begin, and returns when there may be more.
func (d *delivery) launch() (wake time.Time) {
	for {
		work, wake := d.schedule.next(d.journal.clock.Now())
		if len(work) == 0 {
			return wake
		}
		go d.attempt(slices.Clone(work)) // it is of the schedule, which moves on
	}
}

// attempt delivers once. results has room for every attempt under way.
func (d *delivery) attempt(work []record) {
	if len(work) == 1 {
		ctx, cancel := context.WithTimeout(d.ctx, attemptTime)
		defer cancel()
		d.results <- result{work, work[0].body.deliver(ctx, d.journal.store)}
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, batchTime)
	defer cancel()
	d.results <- result{work, deliverTogether(ctx, d.journal.store, work)}
}

// deliverTogether takes two transactions: that of the stays holds their accounts, which other
// nodes wait for, and is to be short.
func deliverTogether(ctx context.Context, s Store, work []record) error {
	var all store.Batch
	for _, r := range work {
		r.body.(joiner).join(&all)
	}
	stays := store.Batch{Stays: all.Stays, Ends: all.Ends}
	if err := s.Deliver(ctx, stays); err != nil {
		return err
	}
	all.Stays, all.Ends = nil, nil
	return s.Deliver(ctx, all)
}

// finish decides what becomes of records after an attempt.
func (d *delivery) finish(a result) {
	d.schedule.ended(len(a.work))
	if len(a.work) == 1 {
		d.finishOne(a.work[0], a.err)
		return
	}
	switch {
	case a.err == nil:
		d.schedule.fits()
		for _, r := range a.work {
			d.finishOne(r, nil)
		}
	case store.Answered(a.err):
		d.journal.logger.Debug("a batch was refused; its records are delivered one by one", "records", len(a.work), "error", a.err)
		d.schedule.refused(a.work)
	default:
		d.journal.failed.Add(1)
		d.journal.logger.Debug("batch not delivered yet", "records", len(a.work), "error", a.err)
		d.schedule.unanswered(a.work, d.journal.clock.Now())
	}
}

// finishOne decides what becomes of a record.
func (d *delivery) finishOne(r record, err error) {
	j := d.journal
	_, unread := r.body.(unreadable)
	answered := errors.Is(err, errSuperseded) || store.Answered(err)
	switch {
	case err == nil || errors.Is(err, errSuperseded):
		j.delivered.Add(1)
		j.tell(r, err)
	case early(r.body, err) && d.schedule.early(r.Key, j.clock.Now()):
		j.failed.Add(1)
		j.logger.Debug("a stay waits for its conference", "key", r.Key, "error", err)
		return
	case answered || unread:
		if !d.bury(r, err) {
			return
		}
	default:
		j.failed.Add(1)
		j.logger.Debug("record not delivered yet", "kind", r.Kind, "key", r.Key, "error", err)
		if !d.schedule.stubborn(r.Key) {
			d.schedule.failed(r.Key, j.clock.Now())
			return
		}
		if !d.bury(r, fmt.Errorf("failed %d times while others were delivered: %w", mostStrikes, err)) {
			return
		}
	}
	if err := j.log.Done(r.seq); err != nil {
		j.logger.Warn("a delivered record is still in the journal; it may be delivered again", "error", err)
	}
	d.schedule.over(r.Key, answered)
	j.gone(r.Key, r.body)
}

// bury makes a dead letter of a record. If that cannot be written the record waits.
func (d *delivery) bury(r record, reason error) bool {
	j := d.journal
	text := []byte(r.Body)
	if _, unread := r.body.(unreadable); !unread {
		var err error
		if text, err = json.Marshal(r); err != nil {
			text = r.Body
		}
	}
	if err := j.keepDead(reason, text); err != nil {
		j.logger.Error("a record that the store refuses cannot be put aside; it waits", "kind", r.Kind, "key", r.Key, "refused", reason, "error", err)
		d.schedule.failed(r.Key, j.clock.Now())
		return false
	}
	j.dying.Add(1)
	j.logger.Error("the store will never take a record; it is among the dead letters", "kind", r.Kind, "key", r.Key, "file", j.dead.path, "error", reason)
	return true
}

// tell lets those know who want to.
func (j *Journal) tell(r record, err error) {
	switch b := r.body.(type) {
	case *conferenceOpened:
		if errors.Is(err, errSuperseded) {
			j.logger.Error("a conference was opened while the store was away, and had lost to a higher epoch", "conference", b.Conference.ID, "room", b.Conference.RoomID, "epoch", b.Conference.Epoch)
			if j.config.Superseded != nil {
				j.config.Superseded(b.Conference)
			}
		}
	case *conferenceClosed:
		j.forget(string(b.ID))
	case *stayRecorded:
		if j.config.Recorded != nil {
			j.config.Recorded(b.Participant.ID)
		}
	case *staySettled:
		j.forget(string(b.XDR.ID))
		if j.config.Settled != nil {
			j.config.Settled(b.XDR.ID)
		}
	case *stayDiscarded:
		j.forget(string(b.XDR.ID))
	}
}

// look notes how old the oldest record is, not at every step: it takes a while.
func (d *delivery) look() {
	now := d.journal.clock.Now()
	if d.schedule.held > 0 && now.Sub(d.looked) < lookEvery && !now.Before(d.looked) {
		return
	}
	d.looked = now
	at := int64(0)
	if oldest := d.schedule.oldest(); !oldest.IsZero() {
		at = oldest.UnixMicro()
	}
	d.journal.oldest.Store(at)
}
