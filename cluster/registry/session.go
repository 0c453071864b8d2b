package registry

import "maps"

// RequestID names a request for ever, so that one whose answer was lost can be sent
// again. The zero value asks for no memory.
type RequestID struct {
	From Instance
	Seq  uint64 // 1 or higher, unique in this run of the node
}

// session remembers what the requests of one run of a node came to.
type session struct {
	incarnation uint64
	highest     uint64            // request number
	dialogs     uint64            // request number of the last Dialogs command
	results     map[uint64]Result // by request number, those above highest-RequestWindow
	touched     uint64            // log index of the last request
}

type sight int

const (
	unseen sight = iota
	seen
	forgotten
)

func newSession(incarnation uint64) *session {
	return &session{incarnation: incarnation, results: map[uint64]Result{}}
}

func (s *session) clone() *session {
	c := *s
	c.results = maps.Clone(s.results)
	return &c
}

// session gives the memory for a run of a node, in place of that of an earlier run.
func (s *State) session(from Instance) (*session, Refusal) {
	current, ok := s.sessions[from.Node]
	if ok && current.incarnation > from.Incarnation {
		return nil, Stale
	}
	if ok && current.incarnation == from.Incarnation {
		return current, None
	}
	if !ok && len(s.sessions) >= maxSessions {
		delete(s.sessions, s.oldestSession())
	}
	fresh := newSession(from.Incarnation)
	s.sessions[from.Node] = fresh
	return fresh, None
}

func (s *State) oldestSession() string {
	var oldest string
	var touched uint64
	for node, session := range s.sessions {
		if oldest == "" || session.touched < touched || session.touched == touched && node < oldest {
			oldest, touched = node, session.touched
		}
	}
	return oldest
}

func (s *session) find(seq uint64) (Result, sight) {
	if result, ok := s.results[seq]; ok {
		return result, seen
	}
	if s.highest >= RequestWindow && seq <= s.highest-RequestWindow {
		return Result{}, forgotten
	}
	return Result{}, unseen
}

// inOrder says whether a Dialogs command comes after all that were carried out. One
// that was overtaken on its way would bring back what a later one has dropped.
func (s *session) inOrder(seq uint64) bool {
	if seq < s.dialogs {
		return false
	}
	s.dialogs = seq
	return true
}

// remember keeps a result, without the dialog in it, which again looks up.
func (s *session) remember(seq uint64, r Result) {
	r.Dialog = Dialog{}
	s.results[seq] = r
	if seq <= s.highest {
		return
	}
	was := s.highest
	s.highest = seq
	if seq <= RequestWindow {
		return
	}
	if seq-was > RequestWindow {
		maps.DeleteFunc(s.results, func(k uint64, _ Result) bool { return k <= seq-RequestWindow })
		return
	}
	for k := seq - RequestWindow; k > 0 && k+RequestWindow > was; k-- {
		delete(s.results, k)
	}
}
