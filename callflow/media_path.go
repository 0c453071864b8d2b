package callflow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const (
	// directTime bounds how long a caller may take to agree that it sends its RTP to the
	// focus; meanwhile it is relayed, and after it too.
	directTime = 5 * time.Second
	// tellTime is how long a focus may take to answer.
	tellTime = 3 * time.Second
	// homeTime is how long what happens next waits until a caller's RTP is here again.
	homeTime = time.Second
)

// mediaPath brings the media of one caller to where it is wanted: to this node, or past
// it to the focus. It negotiates in the background, one step after the other, and tells
// the call how that went (message.way). What is wanted may change at any time.
//
// It has a goroutine while there is something to do; close ends it and waits for it.
type mediaPath struct {
	call *call
	ctx  context.Context // of all steps
	done context.CancelFunc
	runs sync.WaitGroup

	mu     sync.Mutex
	goal   mediaGoal
	serial uint64             // grows when goal, or what the caller has agreed to, changes
	told   bool               // the call knows that the goal is reached
	stop   context.CancelFunc // of the step that is under way
	idle   chan struct{}      // closed when nothing is under way any more; nil: nothing is
	broken bool               // the caller does not come back: the call is over
}

// mediaGoal is where media is wanted.
type mediaGoal struct {
	leg    *focusLeg // nil: it ends at this node
	direct bool      // it goes past this node
}

// wayNews is what a mediaPath tells its call.
type wayNews struct {
	leg  *focusLeg
	step mediaStep // that failed
	err  error     // why the media does not go past this node; nil: it does now
	lost bool      // it does not come back to this node: the caller refuses
}

func newMediaPath(c *call) *mediaPath {
	p := &mediaPath{call: c}
	p.ctx, p.done = context.WithCancel(context.Background())
	return p
}

// want has the media brought to a goal.
func (p *mediaPath) want(g mediaGoal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goal != g {
		p.goal, p.told = g, false
		if p.stop != nil {
			p.stop() // what is under way leads elsewhere
		}
	}
	p.begin()
}

// follow looks whether the focus has to be told what the caller has agreed to.
func (p *mediaPath) follow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goal.leg != nil {
		p.begin()
	}
}

// begin has things looked at anew. The lock is held.
func (p *mediaPath) begin() {
	p.serial++
	if p.idle == nil && !p.broken && p.ctx.Err() == nil {
		p.idle = make(chan struct{})
		p.runs.Go(p.run)
	}
}

// underWay is closed when all is in place, or will never be.
func (p *mediaPath) underWay() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}

// wait waits for that, and no longer than d.
func (p *mediaPath) wait(d time.Duration) {
	idle := p.underWay()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-p.call.engine.config.Clock.After(d):
	}
}

// close gives up what is under way. The dialogs have ended, so nothing is waited for.
func (p *mediaPath) close() {
	p.mu.Lock()
	p.done() // and nothing begins any more
	p.mu.Unlock()
	p.runs.Wait()
}

// run takes steps until all is in place.
func (p *mediaPath) run() {
	for p.step() {
	}
}

// step takes one; false: the last.
func (p *mediaPath) step() (more bool) {
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	p.mu.Lock()
	g, serial := p.goal, p.serial
	p.stop = stop
	p.mu.Unlock()
	want := p.call.wantedWay(g)
	step := nextStep(p.call.way(g.leg), want, g.direct)
	var err error
	switch step {
	case inPlace:
		return p.rest(g, serial)
	case tellCaller:
		err = p.tellCaller(ctx, g, want)
	case tellFocus:
		err = p.tellFocus(ctx, g, want)
	}
	return err == nil || p.failed(g, step, err)
}

// rest ends the work, if nothing has changed since it was seen that all is in place.
func (p *mediaPath) rest(g mediaGoal, serial uint64) (more bool) {
	p.mu.Lock()
	more = p.serial != serial && p.ctx.Err() == nil
	news := !more && g.direct && !p.told
	p.told = p.told || news
	if !more {
		p.end()
	}
	p.mu.Unlock()
	if news {
		p.call.post(message{way: &wayNews{leg: g.leg}})
	}
	return more
}

// end: nothing is under way. The lock is held.
func (p *mediaPath) end() {
	p.stop = nil
	close(p.idle)
	p.idle = nil
}

// tellCaller tells the caller where to send its RTP.
func (p *mediaPath) tellCaller(ctx context.Context, g mediaGoal, want mediaWay) error {
	if g.direct {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, directTime)
		defer cancel()
	}
	return p.call.redirect(ctx, want.Caller)
}

// tellFocus tells the focus with whom it exchanges RTP.
func (p *mediaPath) tellFocus(ctx context.Context, g mediaGoal, want mediaWay) error {
	// A focus that does not answer is lost; the end of its leg is the end of the wait.
	late := p.call.engine.config.Clock.AfterFunc(tellTime, func() { g.leg.release(store.CauseLost) })
	defer late.Stop()
	return g.leg.tell(ctx, want.Focus)
}

// failed decides how it goes on after a step that did not work.
func (p *mediaPath) failed(g mediaGoal, step mediaStep, err error) (more bool) {
	p.mu.Lock()
	if p.ctx.Err() != nil {
		p.end()
		p.mu.Unlock()
		return false
	}
	if p.goal != g { // it was given up for another
		p.mu.Unlock()
		return true
	}
	news := &wayNews{leg: g.leg, step: step, err: err}
	switch {
	case g.direct: // as before, then
		p.goal = mediaGoal{leg: g.leg}
	case step == tellFocus:
		p.goal, news = mediaGoal{}, nil
		g.leg.release(store.CauseLost)
	default:
		p.broken, news.lost = true, true
		p.end()
	}
	p.mu.Unlock()
	if news != nil {
		p.call.post(message{way: news})
	}
	return news == nil || !news.lost
}

// way is what the caller and the focus have been told.
func (c *call) way(leg *focusLeg) mediaWay {
	w := mediaWay{Caller: c.sendsTo()}
	if leg != nil {
		w.Focus = leg.terms()
	}
	return w
}

// wantedWay is what they should have been told for a goal.
func (c *call) wantedWay(g mediaGoal) mediaWay {
	w := mediaWay{Caller: c.here()}
	if g.leg == nil {
		return w
	}
	w.Focus = termsOf(c.media.Agreed())
	if g.direct {
		w.Caller = g.leg.media.Agreed().Remote
	} else {
		w.Focus = w.Focus.at(g.leg.here())
	}
	return w
}

func (w mediaWay) String() string {
	return fmt.Sprintf("caller to %s, focus to %s", w.Caller, w.Focus.Addr)
}
