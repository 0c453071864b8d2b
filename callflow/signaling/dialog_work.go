package signaling

import "time"

// A dialog has a goroutine only while there is something to do: one at a time takes what
// waits in the queue, in order, and what is due by the clock. Between that there is only
// an alarm, if anything will be due. A call of an hour is idle for nearly all of it, and
// the stack of a goroutine would be most of what it costs here.

// serve begins to look after the dialog. The endpoint waits for it until it has ended; it
// is false when the endpoint has stopped.
func (d *Dialog) serve() bool {
	if !d.endpoint.enlist() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serving = true
	d.start()
	return true
}

// enqueue hands over an event. It never waits.
func (d *Dialog) enqueue(ev event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.finished {
		return errDialogOver
	}
	if len(d.queue) >= maxQueue {
		return errQueueFull
	}
	d.queue = append(d.queue, ev)
	d.start()
	return nil
}

// wake has the dialog looked at: its end is decided, or the times have changed, or one has
// come.
func (d *Dialog) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.start()
}

// start makes the goroutine, unless it is there. The lock is held.
func (d *Dialog) start() {
	if !d.serving || d.working {
		return
	}
	d.working = true
	if d.alarm != nil {
		d.alarm.Stop()
	}
	go d.work()
}

// work is the goroutine.
func (d *Dialog) work() {
	defer d.endpoint.recovered("goroutine")
	over := true // also if something panics
	defer func() {
		if over {
			d.finish(End{By: ByLocal, Cause: CauseTransport}, true)
			d.close()
			d.endpoint.leave()
		}
	}()
	for {
		ev, duty := d.next()
		switch duty {
		case rest:
			over = false
			return
		case end:
			return
		case tick:
			d.tick()
		case take:
			d.handle(ev)
		}
	}
}

// duty is what a dialog needs.
type duty uint8

const (
	rest duty = iota // nothing, until wake: the goroutine ends
	take             // the event is to be handled
	tick             // something is due
	end              // the dialog is over
)

// next says what is to be done. When that is nothing, another goroutine may be started at
// once.
func (d *Dialog) next() (event, duty) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.finished {
		return event{}, end // and working stays: none is started any more
	}
	if len(d.queue) > 0 {
		ev := d.queue[0]
		if d.queue = d.queue[1:]; len(d.queue) == 0 {
			d.queue = nil
		}
		return ev, take
	}
	clock := d.endpoint.config.Clock
	due := d.due()
	if !due.IsZero() {
		left := due.Sub(clock.Now())
		if left <= 0 {
			return event{}, tick
		}
		if d.alarm == nil {
			d.alarm = clock.AfterFunc(left, d.wake)
		} else {
			d.alarm.Reset(left)
		}
	}
	d.working = false
	return event{}, rest
}

// due is when tick has something to do; zero: never. The lock is held, by the goroutine
// that looks after the dialog.
func (d *Dialog) due() (first time.Time) {
	times := []time.Time{d.timer.refreshAt(), d.timer.expiresAt()}
	if u := d.unacked; u != nil {
		times = append(times, u.next, u.deadline)
	}
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// close answers what is left and tells the handler.
func (d *Dialog) close() {
	defer close(d.gone)
	d.mu.Lock()
	left := append(d.deferred, d.queue...)
	d.queue = nil
	established, end := d.established, d.end
	d.mu.Unlock()
	for _, ev := range left {
		if ev.tx != nil {
			ev.tx.reject(481, "")
		}
	}
	if established {
		defer d.endpoint.recovered("dialog handler")
		d.handler.Ended(end)
	}
}
