package registry

import "fmt"

// Dialogs changes dialogs of one owner, in order. Each change stands for itself:
// one that is refused does not hold up the others.
//
// With a request id, Dialogs of one owner are carried out in the order of their
// numbers: one that a later one has overtaken is refused as Expired.
type Dialogs struct {
	Owner   Instance
	Changes []DialogChange // 1 to MaxBatch
}

// DialogChange puts or drops a dialog. A dialog that is put must be new, or of the
// same owner and a lower version.
type DialogChange struct {
	Call    string
	Drop    bool
	Version uint64 // 1 or higher; not used by a drop
	State   []byte // at most MaxDialogState; not used by a drop
}

func (d Dialogs) code() opcode { return opDialogs }

func (d Dialogs) validate() error {
	if len(d.Changes) == 0 || len(d.Changes) > MaxBatch {
		return fmt.Errorf("%d changes of dialogs; there must be 1 to %d", len(d.Changes), MaxBatch)
	}
	for _, c := range d.Changes {
		if err := c.Validate(); err != nil {
			return err
		}
	}
	return d.Owner.validate()
}

// Validate checks the fields against their ranges.
func (c DialogChange) Validate() error {
	if err := validateName("call id", c.Call); err != nil {
		return err
	}
	if len(c.State) > MaxDialogState {
		return fmt.Errorf("the state of call %s is %d bytes; at most %d", c.Call, len(c.State), MaxDialogState)
	}
	if !c.Drop && c.Version == 0 {
		return fmt.Errorf("call %s has version 0; versions start at 1", c.Call)
	}
	return nil
}

func (d Dialogs) apply(s *State) Result {
	if n, ok := s.nodes[d.Owner.Node]; ok && n.Incarnation > d.Owner.Incarnation {
		return Result{Refusal: Stale}
	}
	result := Result{Items: make([]Refusal, len(d.Changes))}
	for i, c := range d.Changes {
		var changed bool
		if c.Drop {
			changed, result.Items[i] = s.dropDialog(d.Owner, c)
		} else {
			changed, result.Items[i] = s.putDialog(d.Owner, c)
		}
		result.Changed = result.Changed || changed
	}
	return result
}

func (d Dialogs) again(_ *State, r Result) Result { return r }

func (s *State) putDialog(owner Instance, c DialogChange) (bool, Refusal) {
	current, ok := s.dialogs[c.Call]
	if ok && current.Owner != owner {
		return false, NotOwner
	}
	if ok && current.Version >= c.Version {
		return false, Stale
	}
	bytes := s.dialogBytes - len(current.State) + len(c.State)
	if !ok && len(s.dialogs) >= MaxDialogs || bytes > MaxDialogBytes {
		return false, Full
	}
	s.dialogBytes = bytes
	s.dialogs[c.Call] = Dialog{Call: c.Call, Owner: owner, Version: c.Version, State: c.State}
	return true, None
}

// dropDialog drops what is there; what is not there is as good as dropped.
func (s *State) dropDialog(owner Instance, c DialogChange) (bool, Refusal) {
	current, ok := s.dialogs[c.Call]
	if !ok {
		return false, None
	}
	if current.Owner != owner {
		return false, NotOwner
	}
	s.dialogBytes -= len(current.State)
	delete(s.dialogs, c.Call)
	return true, None
}

// TakeDialog gives a dialog a new owner, if From still owns it. Of several nodes
// that try, one succeeds.
type TakeDialog struct {
	Call string
	From Instance
	To   Instance
}

func (t TakeDialog) code() opcode { return opTakeDialog }

func (t TakeDialog) validate() error {
	if err := validateName("call id", t.Call); err != nil {
		return err
	}
	if err := t.From.validate(); err != nil {
		return err
	}
	return t.To.validate()
}

func (t TakeDialog) apply(s *State) Result {
	current, ok := s.dialogs[t.Call]
	if !ok {
		return Result{Refusal: NotFound}
	}
	if current.Owner != t.From {
		return Result{Refusal: NotOwner}
	}
	if !s.alive(t.To) {
		return Result{Refusal: Unknown}
	}
	changed := current.Owner != t.To
	current.Owner = t.To
	s.dialogs[t.Call] = current
	return Result{Changed: changed, Dialog: current}
}

// again looks the dialog up anew, for its state is not remembered twice.
func (t TakeDialog) again(s *State, r Result) Result {
	current, ok := s.dialogs[t.Call]
	if r.Refusal != None {
		return r
	}
	if !ok {
		return Result{Refusal: NotFound}
	}
	if current.Owner != t.To {
		return Result{Refusal: NotOwner}
	}
	r.Dialog = current
	return r
}
