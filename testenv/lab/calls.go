package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/caller"
)

// CallRequest has a caller at a site call a node.
type CallRequest struct {
	ID       string         `json:"id,omitempty"` // unlike that of any other call that goes on, for HangUp
	Site     string         `json:"site"`
	Node     string         `json:"node"` // by name
	Number   string         `json:"number"`
	From     string         `json:"from,omitempty"`
	Keys     string         `json:"keys,omitempty"`
	Tone     int            `json:"tone,omitempty"` // Hz; 0: silence
	User     string         `json:"user,omitempty"`
	Password string         `json:"password,omitempty"`
	Hold     time.Duration  `json:"hold"`
	To       netip.AddrPort `json:"to,omitzero"` // instead of Node
}

// CallReport is what a caller heard.
type CallReport struct {
	Ended    string          `json:"ended"` // why
	Timeline caller.Timeline `json:"timeline"`
}

// CallStatus is a call that has been answered and goes on.
type CallStatus struct {
	ID     string         `json:"id,omitempty"`
	Site   string         `json:"site"`
	Node   string         `json:"node,omitempty"`
	Number string         `json:"number"`
	From   string         `json:"from,omitempty"`
	Keys   string         `json:"keys,omitempty"`
	Tone   int            `json:"tone,omitempty"` // Hz, that it speaks
	Since  time.Time      `json:"since"`          // of the answer
	Media  netip.AddrPort `json:"media"`          // where its audio goes
	Hears  []int          `json:"hears"`          // Hz: the tones of the last second
	// Silent is for how long it has had no audio at all, not even silence; 0 while it has.
	Silent time.Duration `json:"silent,omitempty"`
}

// heldCall is a call that goes on.
type heldCall struct {
	CallRequest
	*caller.Call
	since time.Time
	over  chan struct{} // closed when it is to be hung up
}

// call calls, holds and hangs up.
func (s *server) call(ctx context.Context, r CallRequest) (CallReport, error) {
	if !r.To.IsValid() {
		p, err := s.lab.Node(r.Node)
		if err != nil {
			return CallReport{}, err
		}
		r.To = p.At(SIPPort)
	}
	phone, err := s.lab.Phone(r.Site)
	if err != nil {
		return CallReport{}, err
	}
	if r.Tone > 0 {
		s.lab.ListenFor(r.Tone)
	}
	c, err := phone.Call(ctx, caller.Dial{To: r.To, Number: r.Number, From: r.From, Keys: r.Keys, Tone: r.Tone, User: r.User, Password: r.Password})
	if err != nil {
		return CallReport{}, err
	}
	held := &heldCall{r, c, time.Now(), make(chan struct{})}
	s.mu.Lock()
	s.calls = append(s.calls, held)
	s.mu.Unlock()
	hold := time.NewTimer(r.Hold)
	defer hold.Stop()
	select {
	case <-hold.C:
	case <-held.over:
	case <-c.Done():
	case <-ctx.Done():
	}
	s.forget(held)
	heard := c.Timeline() // that the node is silent after the BYE is no gap
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	// A node that does not answer the BYE is what some tests are about.
	if err := c.HangUp(bounded); err != nil {
		s.lab.spec.Log.Info("no answer to the BYE", "error", err)
	}
	reason, _ := c.Ended()
	return CallReport{reason, heard}, nil
}

// forget takes a call out of those that go on; false: it is none of them any more.
func (s *server) forget(c *heldCall) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.calls, c)
	if i < 0 {
		return false
	}
	s.calls = slices.Delete(s.calls, i, i+1)
	return true
}

// callChange names a call.
type callChange struct {
	ID string `json:"id"`
}

// hangUp has a call end as if its time were over.
func (s *server) hangUp(_ context.Context, c callChange) (none, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.calls, func(h *heldCall) bool { return h.CallRequest.ID == c.ID })
	var held *heldCall
	if i >= 0 {
		held = s.calls[i]
	}
	s.mu.Unlock()
	if held == nil || !s.forget(held) { // whoever takes it out closes over
		return none{}, fmt.Errorf("no call %q goes on", c.ID)
	}
	close(held.over)
	return none{}, nil
}

func (s *server) list(context.Context, none) ([]CallStatus, error) { return s.statuses(), nil }

// statuses are of all calls that go on.
func (s *server) statuses() []CallStatus {
	s.mu.Lock()
	calls := slices.Clone(s.calls)
	s.mu.Unlock()
	all := []CallStatus{}
	for _, c := range calls {
		now, t := time.Now(), c.Timeline()
		all = append(all, CallStatus{ID: c.CallRequest.ID, Site: c.Site, Node: c.Node, Number: c.Number, From: c.From, Keys: c.Keys,
			Tone: c.Tone, Since: c.since, Media: c.Remote(), Hears: hearing(t, now), Silent: silent(t, now)})
	}
	return all
}

// hearing are the tones that were there for half of the last second: a prompt that
// passes for a tone in single windows is none. What is judged ends a little before now,
// since a window is judged when it is full.
func hearing(t caller.Timeline, now time.Time) []int {
	const judged = 150 * time.Millisecond
	tones := []int{}
	to := now.Add(-judged)
	from := to.Add(-time.Second)
	for _, span := range t.Heard {
		if span.To.After(from) && !slices.Contains(tones, span.Tone) && t.Share(span.Tone, from, to) >= 0.5 {
			tones = append(tones, span.Tone)
		}
	}
	slices.Sort(tones)
	return tones
}

// silent is how long the gap lasts that goes on.
func silent(t caller.Timeline, now time.Time) time.Duration {
	if len(t.Gaps) == 0 {
		return 0
	}
	last := t.Gaps[len(t.Gaps)-1]
	if last.To.Before(now) { // a gap that goes on ends when the timeline was asked for
		return 0
	}
	return last.To.Sub(last.From)
}
