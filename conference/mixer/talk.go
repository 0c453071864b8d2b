package mixer

import "slices"

// Talk tells that a port's voice began to be heard, or ended.
type Talk struct {
	Port    *Port
	Talking bool
	Level   float32 // dBFS of its voice of late
}

// Talking are those whose voice is heard now: it has been for 60 ms, and was until half a
// second ago. It takes the order in which the ports came.
func (m *Mixer) Talking() []Talk {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Talk
	for _, p := range m.ports {
		if p.turn.talking {
			list = append(list, Talk{p, true, p.turn.score})
		}
	}
	return list
}

// Watch has changes of who is talking sent to c from the next tick on, until stop is
// called. What c has no room for is dropped, for the tick cannot wait: dropped is then
// called, in the tick.
func (m *Mixer) Watch(c chan<- Talk, dropped func()) (stop func()) {
	w := &watcher{c, dropped}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers = append(m.watchers, w)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.watchers = slices.DeleteFunc(m.watchers, func(x *watcher) bool { return x == w })
	}
}

// watcher is told who is talking.
type watcher struct {
	c       chan<- Talk
	dropped func()
}

// settleTalk finds out whether the port's talking has changed, and tells.
func (m *Mixer) settleTalk(p *Port, talking bool) {
	if p.turn.talking == talking {
		return
	}
	p.turn.talking = talking
	for _, w := range m.watchers {
		select {
		case w.c <- Talk{p, talking, p.turn.score}:
		default:
			w.dropped()
		}
	}
}
