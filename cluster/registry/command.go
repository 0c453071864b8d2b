package registry

import "fmt"

// Command is one entry of the log.
type Command struct {
	Request RequestID
	Op      Op
}

// Op is what a command does: one of the types of this package.
type Op interface {
	code() opcode
	validate() error
	encode(*encoder)
	// apply carries the op out. It is deterministic.
	apply(*State) Result
	// again is the answer to a request that was carried out earlier with result r.
	again(s *State, r Result) Result
}

// opcode is an op's number in logs: never change one.
type opcode uint8

const (
	opAssign     opcode = 1
	opRelease    opcode = 2
	opNodeUp     opcode = 3
	opNodeGone   opcode = 4
	opDrain      opcode = 5
	opDialogs    opcode = 6
	opTakeDialog opcode = 7
	opFound      opcode = 8
	opOrder      opcode = 9
)

// Validate checks the fields against their ranges. A command that passes here is
// never refused as Invalid.
func (c Command) Validate() error {
	if c.Op == nil {
		return fmt.Errorf("the command has no op")
	}
	if c.Request != (RequestID{}) {
		if err := c.Request.From.validate(); err != nil {
			return fmt.Errorf("request id: %w", err)
		}
		if c.Request.Seq == 0 {
			return fmt.Errorf("request id: the number is zero; the first is 1")
		}
	}
	return c.Op.validate()
}

func (i Instance) validate() error {
	if i.Incarnation == 0 {
		return fmt.Errorf("node %q has no incarnation; it is 1 or higher", i.Node)
	}
	return validateName("node id", i.Node)
}

func validateName(what, name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%s is %d bytes; it must be 1 to %d", what, len(name), MaxName)
	}
	return nil
}
