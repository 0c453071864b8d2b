package gossip

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	maxNotes = 256 // waiting to be logged; when there are as many, new ones are lost, and counted
	// repeatAfter is when a warning that keeps coming is logged again.
	repeatAfter = 30 * time.Second
)

// notes carry what is to be logged out of memberlist's callbacks and from under its
// lock, so that a slow log never slows gossip.
type notes struct {
	queue  chan note
	lost   atomic.Uint64
	quit   chan struct{}
	done   chan struct{} // run has ended
	logger hclog.Logger
}

type note struct {
	level hclog.Level
	text  string
	args  []any
}

func startNotes(logger hclog.Logger) *notes {
	n := &notes{queue: make(chan note, maxNotes), quit: make(chan struct{}), done: make(chan struct{}),
		logger: logger}
	go n.run()
	return n
}

// stop logs what waits, and ends. What memberlist still says after its shutdown goes
// nowhere.
func (n *notes) stop() {
	close(n.quit)
	<-n.done
}

func (n *notes) run() {
	defer close(n.done)
	last := map[string]time.Time{} // when a warning was logged
	for {
		select {
		case e := <-n.queue:
			n.log(e, last)
		case <-n.quit:
			for range len(n.queue) {
				n.log(<-n.queue, last)
			}
			return
		}
	}
}

func (n *notes) log(e note, last map[string]time.Time) {
	if lost := n.lost.Swap(0); lost > 0 {
		n.logger.Warn("gossip had more to log than the log could take", "lost", lost)
	}
	if e.level < hclog.Warn || !repeated(last, e) {
		n.logger.Log(e.level, e.text, e.args...)
	}
}

// repeated tells whether the note was logged a moment ago.
func repeated(last map[string]time.Time, e note) bool {
	now := time.Now()
	for key, at := range last { // few: warnings of the last half minute
		if now.Sub(at) >= repeatAfter {
			delete(last, key)
		}
	}
	key := fmt.Sprint(e.text, e.args)
	_, found := last[key]
	if !found && len(last) < maxNotes {
		last[key] = now
	}
	return found
}

func (n *notes) put(e note) {
	select {
	case n.queue <- e:
	default:
		n.lost.Add(1)
	}
}

func (n *notes) event(text string, args ...any) { n.put(note{hclog.Info, text, args}) }
func (n *notes) warn(text string, args ...any)  { n.put(note{hclog.Warn, text, args}) }
func (n *notes) debug(text string, args ...any) {
	if n.logger.IsDebug() {
		n.put(note{hclog.Debug, text, args})
	}
}

// advice is what to do about some of memberlist's messages, by a part of their text.
var advice = []struct{ part, text string }{
	{`stream with unacceptable label ""`, "a connection ended before it said of which cluster it is: the other node was too " +
		"slow, or this one; or it is of a cluster without a name"},
	{"unacceptable label", "a node of another cluster, or of the other pool, sends to this port: correct its " +
		"cluster name or the port in its seeds"},
	{"decrypt", "a node sends what no key here reads: give it the cluster's key, or add its key here"},
	{"plaintext", "a node sends without encryption: give it the cluster's key"},
	{"ignoring alive message", "a node is refused"},
	{"push/pull merge", "a node that joined is refused"},
	{"queue full", "news come faster than they are handled: this machine is overloaded"},
	{"error accepting", "connections cannot be taken: see to the limit of open files"},
}

// memberlistLog makes notes of what memberlist logs. Its own wording is for those who
// look closely; where we know what to do, a warning says so.
type memberlistLog struct{ notes *notes }

// Write takes one line, "[LEVEL] memberlist: text from=address".
func (l *memberlistLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	_, text, _ = strings.Cut(text, "memberlist: ")
	for _, a := range advice {
		if strings.Contains(strings.ToLower(text), a.part) {
			l.notes.warn(a.text, "detail", withoutPort(text))
			return len(line), nil
		}
	}
	l.notes.debug(text)
	return len(line), nil
}

// withoutPort cuts the port off the sender, which changes with each connection and
// would make every line a new one.
func withoutPort(text string) string {
	before, sender, found := strings.Cut(text, "from=")
	if i := strings.LastIndexByte(sender, ':'); found && i >= 0 {
		return before + "from=" + sender[:i]
	}
	return text
}
