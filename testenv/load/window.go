package load

import (
	"fmt"
	"time"
)

// TooLate is how late a packet is as bad as lost: a frame. A jitter buffer that hides
// more would delay everybody.
const TooLate = frame

// Window is what was measured from one moment to another, of all callers who were in.
type Window struct {
	Expected, Received uint64 // audio packets
	Lost               uint64
	Late               Distribution // against the promptest packet of the stream in this window
	SenderLate         Distribution // our own packets, against their time
}

// Bad is the share of the packets that were lost or more than [TooLate] late.
func (w Window) Bad() float64 {
	return float64(w.Lost+w.Late.Beyond(TooLate)) / float64(max(1, w.Expected))
}

// Add adds another window to w.
func (w *Window) Add(x Window) {
	w.Expected += x.Expected
	w.Received += x.Received
	w.Lost += x.Lost
	w.Late.Add(x.Late)
	w.SenderLate.Add(x.SenderLate)
}

// Blame says whether the tool itself was too slow for its figures to say anything.
func (w Window) Blame() error {
	if p := w.SenderLate.Quantile(0.999); p > 10*time.Millisecond {
		return fmt.Errorf("the load tool itself was late: 99.9%% of its packets within %v; the figures say nothing about the node", p)
	}
	return nil
}
