package store

import "errors"

// The errors that callers tell apart with errors.Is. Implementations wrap them
// with what was being done.
var (
	// ErrNotFound: no such row, or none that the scope may see.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a unique name, number or code is taken; the text names it.
	ErrConflict = errors.New("already exists")
	// ErrInUse: the row cannot be removed while others refer to it.
	ErrInUse = errors.New("in use")
	// ErrStaleEpoch: a write of a focus that has been replaced by one with a
	// higher epoch. The writer must stop hosting the conference.
	ErrStaleEpoch = errors.New("stale epoch")
	// ErrInsufficientFunds: balance plus credit limit, less what is reserved,
	// does not cover the amount.
	ErrInsufficientFunds = errors.New("insufficient funds")
	// ErrClosed: the participant, reservation or conference has already ended.
	ErrClosed = errors.New("already ended")
	// ErrVersion: the row was changed since it was read (optimistic lock).
	ErrVersion = errors.New("changed by someone else meanwhile")
	// ErrNoFreeCode: no unused access code was found in the code space; use
	// longer codes.
	ErrNoFreeCode = errors.New("no free access code")
	// ErrInvalid: a value that may not be kept. The text names the field, the
	// value and the fix. Trying again does not help.
	ErrInvalid = errors.New("invalid")
	// ErrSchema: the database has no tables, or older ones than this program
	// needs; Migrate makes them.
	ErrSchema = errors.New("the database schema is missing or too old")
)

// Answered says whether err (or nil) is an answer of the store. Any other error says
// nothing about what was asked: the store could not be reached, was too slow, or is not
// ready; asking again later may help, and a write may have taken place.
func Answered(err error) bool {
	if err == nil {
		return true
	}
	for _, answer := range []error{ErrNotFound, ErrConflict, ErrInUse, ErrStaleEpoch, ErrInsufficientFunds, ErrClosed,
		ErrVersion, ErrNoFreeCode, ErrInvalid} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}
