package registry

import (
	"cmp"
	"fmt"
	"slices"
)

// Order is what an operator has said of a node or a site. It holds until another order
// of its kind and name: over every restart, and for nodes that were away when it was
// given. It is an op, and what the registry then keeps.
type Order struct {
	Kind OrderKind
	Name string // of a node of this site for DrainNode, else of a site
	// On begins a drain; without it, the drain ends.
	On   bool
	Mode Mode // of a Verdict
	// The rest is of DrainSite.

	// Own says that the site is that of this registry.
	Own bool
	// Deputy is the site that takes the rooms of the drained one; empty: none does, and
	// conferences stay until they end.
	Deputy string
	// Until is when calls that still go on are to end, in seconds since 1970; 0: never.
	Until uint64
	// Serial orders what is said of one site, for it reaches other sites late and out of
	// order. It is 0 in an op that is new, and the registry then gives it; in one that
	// another site tells, it is that one's, and an older one changes nothing.
	Serial uint64
	// Floor is an epoch: those that this registry gives from now on are higher. With it,
	// epochs of a room grow when it changes its site. A new order of the own site raises
	// it to the highest epoch given here.
	Floor uint64
}

// OrderKind says what an order is about.
type OrderKind uint8

// The kinds. Their numbers are in logs and snapshots: never change one.
const (
	DrainNode OrderKind = 1 // the node takes no calls and no rooms
	DrainSite OrderKind = 2 // nor does any node of the site; its rooms go to the deputy
	Verdict   OrderKind = 3 // whether another site is used, by this one
)

// Mode is what a Verdict says.
type Mode uint8

// The modes. ModeAuto takes a verdict back.
const (
	ModeAuto Mode = 0
	ModeUp   Mode = 1
	ModeDown Mode = 2
)

type orderKey struct {
	kind OrderKind
	name string
}

func (o Order) key() orderKey { return orderKey{o.Kind, o.Name} }

func (o Order) code() opcode { return opOrder }

func (o Order) validate() error {
	if o.Kind < DrainNode || o.Kind > Verdict {
		return fmt.Errorf("order of kind %d; this version knows %d to %d", o.Kind, DrainNode, Verdict)
	}
	if o.Mode > ModeDown {
		return fmt.Errorf("mode %d is none of auto, up and down", o.Mode)
	}
	if o.Floor > MaxFloor {
		return fmt.Errorf("floor %d is above %d", o.Floor, MaxFloor)
	}
	if len(o.Deputy) > MaxName || o.Deputy == o.Name {
		return fmt.Errorf("deputy %q of site %s: name another site, in at most %d bytes", o.Deputy, o.Name, MaxName)
	}
	return validateName("what the order is about", o.Name)
}

func (o Order) apply(s *State) Result {
	current, known := s.orders[o.key()]
	switch {
	case o.Kind != DrainSite:
		return s.keep(o, known && current == o)
	case o.Serial == 0:
		if known && o.On == current.On && o.Deputy == current.Deputy && o.Until == current.Until {
			return Result{}
		}
		o.Serial = current.Serial + 1
		o.Floor = max(o.Floor, current.Floor)
		if o.Own {
			o.Floor = max(o.Floor, s.epoch)
		}
	case o.Serial <= current.Serial:
		return Result{}
	}
	s.epoch = max(s.epoch, o.Floor)
	return s.keep(o, false)
}

func (o Order) again(_ *State, r Result) Result { return r }

// keep notes an order. One that only takes another back is forgotten, but of a site that
// no longer drains it is kept who said so last.
func (s *State) keep(o Order, same bool) Result {
	_, known := s.orders[o.key()]
	idle := !o.On && o.Mode == ModeAuto && o.Kind != DrainSite
	switch {
	case same || idle && !known:
		return Result{}
	case idle:
		delete(s.orders, o.key())
		return Result{Changed: true}
	case !known && len(s.orders) >= MaxOrders:
		return Result{Refusal: Full}
	}
	s.orders[o.key()] = o
	return Result{Changed: true}
}

// drains says whether the node takes no rooms, by its own order or by that of the site.
func (s *State) drains(node string) bool {
	if s.nodes[node].Draining || s.orders[orderKey{DrainNode, node}].On {
		return true
	}
	for _, o := range s.orders {
		if o.Kind == DrainSite && o.Own && o.On {
			return true
		}
	}
	return false
}

// Orders are those in force, and of sites that do not drain any more, by kind and name.
func (s *State) Orders() []Order {
	list := make([]Order, 0, len(s.orders))
	for _, o := range s.orders {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Order) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return list
}

// Order is the one of a kind and name; the zero Order if there is none.
func (s *State) Order(kind OrderKind, name string) Order { return s.orders[orderKey{kind, name}] }

func (o Order) encode(e *encoder) {
	e.byte(byte(o.Kind))
	e.string(o.Name)
	e.bool(o.On)
	e.byte(byte(o.Mode))
	e.bool(o.Own)
	e.string(o.Deputy)
	e.uint(o.Until)
	e.uint(o.Serial)
	e.uint(o.Floor)
}

func (d *decoder) order() Order {
	return Order{Kind: OrderKind(d.byte()), Name: d.string(), On: d.bool(), Mode: Mode(d.byte()), Own: d.bool(),
		Deputy: d.string(), Until: d.uint(), Serial: d.uint(), Floor: d.uint()}
}
