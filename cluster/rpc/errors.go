package rpc

import (
	"context"
	"errors"
)

// Errors of a call that the other end's method has not made.
var (
	// ErrUnreachable: the node could not be asked, or its answer did not come. The
	// method may have been carried out.
	ErrUnreachable = errors.New("the node cannot be reached")
	// ErrBusy: the node serves as many calls of this one as it ever does at once.
	ErrBusy = errors.New("the node is busy with calls of this one")
	// ErrNoMethod: the node has no such method; it may be of another version.
	ErrNoMethod = errors.New("the node has no such method")
)

// Codes are errors that cross the wire, by code.
type Codes map[string]error

// standard are codes that every program has.
var standard = Codes{
	"busy": ErrBusy, "no-method": ErrNoMethod, "cancelled": context.Canceled, "deadline": context.DeadlineExceeded,
}

// of is the code of an error, empty if it has none.
func (c Codes) of(err error) string {
	for _, codes := range []Codes{c, standard} {
		for code, known := range codes {
			if errors.Is(err, known) {
				return code
			}
		}
	}
	return ""
}

// Error is what a method of another node returned.
type Error struct {
	Code    string
	Message string
	known   error
}

func (e *Error) Error() string { return e.Message }

// Unwrap is the error that the code stands for, if it is known here.
func (e *Error) Unwrap() error { return e.known }

// failure is an Error on the wire.
type failure struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

func (c Codes) read(f failure) error {
	known := c[f.Code]
	if known == nil {
		known = standard[f.Code]
	}
	return &Error{Code: f.Code, Message: f.Message, known: known}
}
