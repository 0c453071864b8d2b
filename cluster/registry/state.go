package registry

import "maps"

// Instance is one run of a node: a node that starts again has a higher incarnation.
type Instance struct {
	Node        string
	Incarnation uint64
}

// Kind says what an assigned conference is to its room.
type Kind uint8

// The kinds. A local conference is the stand-in of a site that cannot reach the
// room's home site.
const (
	KindMain  Kind = 1
	KindLocal Kind = 2
)

// Assignment says which run of which node hosts a room. The zero value is none.
type Assignment struct {
	Room  string
	Focus Instance
	Kind  Kind
	Epoch uint64 // fences writes of earlier assignments
}

// Node is what the site knows of one of its nodes.
type Node struct {
	Instance
	Addresses []string // shared: do not change
	Draining  bool     // takes no new rooms
	Gone      bool     // its run is over, as far as the site can tell
	Left      bool     // and it said goodbye, or was removed by an operator

	touched uint64 // log index of the last change, to find the oldest
}

// Dialog is an answered call that another node could take over.
type Dialog struct {
	Call    string
	Owner   Instance
	Version uint64 // 1 or higher; grows with each change
	State   []byte // at most MaxDialogState bytes; shared: do not change
}

// State is the registry. Make one with New or Restore. It is not safe for
// concurrent use.
type State struct {
	index       uint64 // of the last command applied
	epoch       uint64 // the highest ever given
	group       string
	nodes       map[string]Node
	rooms       map[string]Assignment
	dialogs     map[string]Dialog
	orders      map[orderKey]Order
	dialogBytes int
	sessions    map[string]*session
}

// New makes an empty registry.
func New() *State {
	return &State{
		nodes:    map[string]Node{},
		rooms:    map[string]Assignment{},
		dialogs:  map[string]Dialog{},
		orders:   map[orderKey]Order{},
		sessions: map[string]*session{},
	}
}

// Clone copies the registry. The copy shares what never changes, such as dialog
// states, so that it is cheap enough to be made between two commands.
func (s *State) Clone() *State {
	c := *s
	c.nodes = maps.Clone(s.nodes)
	c.rooms = maps.Clone(s.rooms)
	c.dialogs = maps.Clone(s.dialogs)
	c.orders = maps.Clone(s.orders)
	c.sessions = make(map[string]*session, len(s.sessions))
	for node, session := range s.sessions {
		c.sessions[node] = session.clone()
	}
	return &c
}

// Apply carries out a command at its log index, which grows from call to call.
func (s *State) Apply(index uint64, c Command) Result {
	s.index = index
	if err := c.Validate(); err != nil {
		return Result{Refusal: Invalid}
	}
	if c.Request == (RequestID{}) {
		return c.Op.apply(s)
	}
	session, refusal := s.session(c.Request.From)
	if refusal != None {
		return Result{Refusal: refusal}
	}
	session.touched = index
	if earlier, state := session.find(c.Request.Seq); state == seen {
		return c.Op.again(s, earlier)
	} else if state == forgotten {
		return Result{Refusal: Expired}
	}
	if _, ok := c.Op.(Dialogs); ok && !session.inOrder(c.Request.Seq) {
		return Result{Refusal: Expired}
	}
	result := c.Op.apply(s)
	session.remember(c.Request.Seq, result)
	return result
}

// alive says whether this run of the node is the current one and not over.
func (s *State) alive(i Instance) bool {
	n, ok := s.nodes[i.Node]
	return ok && n.Incarnation == i.Incarnation && !n.Gone
}

// over says whether this run is known to have ended. A node that the registry has
// never heard of is neither alive nor over.
func (s *State) over(i Instance) bool {
	n, ok := s.nodes[i.Node]
	return ok && (n.Incarnation > i.Incarnation || n.Incarnation == i.Incarnation && n.Gone)
}
