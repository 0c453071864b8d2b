package registry

import "fmt"

// version is the version of commands and results that this program writes.
const version = 1

// Encode writes a command for the log. It checks it first.
func (c Command) Encode() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	e := &encoder{}
	e.byte(version)
	e.byte(byte(c.Op.code()))
	e.instance(c.Request.From)
	e.uint(c.Request.Seq)
	c.Op.encode(e)
	if len(e.buf) > MaxCommand {
		return nil, fmt.Errorf("the command is %d bytes; at most %d", len(e.buf), MaxCommand)
	}
	return e.buf, nil
}

// DecodeCommand reads what Encode wrote, in this or an earlier version.
func DecodeCommand(data []byte) (Command, error) {
	c, err := decodeCommand(&decoder{buf: data})
	if err != nil {
		return Command{}, fmt.Errorf("decoding a command of %d bytes: %w", len(data), err)
	}
	return c, nil
}

func decodeCommand(d *decoder) (Command, error) {
	if v := d.byte(); d.err == nil && v != version {
		return Command{}, fmt.Errorf("version %d: %w", v, ErrVersion)
	}
	code := opcode(d.byte())
	c := Command{Request: RequestID{From: d.instance(), Seq: d.uint()}}
	if d.err != nil {
		return Command{}, d.err
	}
	op, err := decodeOp(code, d)
	if err != nil {
		return Command{}, err
	}
	if err := d.done(); err != nil {
		return Command{}, err
	}
	c.Op = op
	return c, c.Validate()
}

func decodeOp(code opcode, d *decoder) (Op, error) {
	switch code {
	case opAssign:
		return Assign{Room: d.string(), Candidate: d.instance(), Kind: Kind(d.byte()),
			Replace: d.uint(), Floor: d.uint()}, nil
	case opRelease:
		return Release{Room: d.string(), Epoch: d.uint()}, nil
	case opNodeUp:
		return NodeUp{Instance: d.instance(), Addresses: d.addresses()}, nil
	case opNodeGone:
		return NodeGone{Instance: d.instance(), Left: d.bool()}, nil
	case opDrain:
		return Drain{Instance: d.instance(), Draining: d.bool()}, nil
	case opDialogs:
		return Dialogs{Owner: d.instance(), Changes: d.changes()}, nil
	case opTakeDialog:
		return TakeDialog{Call: d.string(), From: d.instance(), To: d.instance()}, nil
	case opFound:
		return Found{Group: d.string()}, nil
	case opOrder:
		return d.order(), nil
	}
	return nil, fmt.Errorf("op %d: %w", code, ErrVersion)
}

func (d *decoder) addresses() []string {
	var addresses []string
	for range d.count(smallestAddress) {
		addresses = append(addresses, d.string())
	}
	return addresses
}

func (d *decoder) changes() []DialogChange {
	var changes []DialogChange
	for range d.count(smallestDialog) {
		changes = append(changes, DialogChange{Call: d.string(), Drop: d.bool(),
			Version: d.uint(), State: d.bytes()})
	}
	return changes
}

func (a Assign) encode(e *encoder) {
	e.string(a.Room)
	e.instance(a.Candidate)
	e.byte(byte(a.Kind))
	e.uint(a.Replace)
	e.uint(a.Floor)
}

func (r Release) encode(e *encoder) {
	e.string(r.Room)
	e.uint(r.Epoch)
}

func (n NodeUp) encode(e *encoder) {
	e.instance(n.Instance)
	e.addresses(n.Addresses)
}

func (e *encoder) addresses(addresses []string) {
	e.uint(uint64(len(addresses)))
	for _, a := range addresses {
		e.string(a)
	}
}

func (n NodeGone) encode(e *encoder) {
	e.instance(n.Instance)
	e.bool(n.Left)
}

func (d Drain) encode(e *encoder) {
	e.instance(d.Instance)
	e.bool(d.Draining)
}

func (d Dialogs) encode(e *encoder) {
	e.instance(d.Owner)
	e.uint(uint64(len(d.Changes)))
	for _, c := range d.Changes {
		e.string(c.Call)
		e.bool(c.Drop)
		e.uint(c.Version)
		e.bytes(c.State)
	}
}

func (t TakeDialog) encode(e *encoder) {
	e.string(t.Call)
	e.instance(t.From)
	e.instance(t.To)
}

func (f Found) encode(e *encoder) { e.string(f.Group) }

// Encode writes a result, to be sent to the node that asked.
func (r Result) Encode() []byte {
	e := &encoder{}
	e.byte(version)
	e.result(r)
	e.dialog(r.Dialog)
	return e.buf
}

// DecodeResult reads what Result.Encode wrote.
func DecodeResult(data []byte) (Result, error) {
	d := &decoder{buf: data}
	if v := d.byte(); d.err == nil && v != version {
		return Result{}, fmt.Errorf("decoding a result of version %d: %w", v, ErrVersion)
	}
	r := d.result()
	r.Dialog = d.dialog()
	if err := d.done(); err != nil {
		return Result{}, fmt.Errorf("decoding a result of %d bytes: %w", len(data), err)
	}
	return r, nil
}

// result is the part of a result that is remembered, too.
func (e *encoder) result(r Result) {
	e.byte(byte(r.Refusal))
	e.bool(r.Changed)
	e.assignment(r.Assignment)
	e.uint(uint64(len(r.Items)))
	for _, item := range r.Items {
		e.byte(byte(item))
	}
}

func (d *decoder) result() Result {
	r := Result{Refusal: Refusal(d.byte()), Changed: d.bool(), Assignment: d.assignment()}
	for range d.count(1) {
		r.Items = append(r.Items, Refusal(d.byte()))
	}
	return r
}
