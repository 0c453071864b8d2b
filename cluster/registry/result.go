package registry

import "fmt"

// Result is what a command came to.
type Result struct {
	// Refusal is None when the command holds, whether it changed anything or not.
	Refusal Refusal
	// Changed says that the command changed the state.
	Changed bool
	// Assignment is, after Assign, what is in force for the room: the new one if
	// Changed, else the one that stood in the way.
	Assignment Assignment
	// Dialog is, after TakeDialog, the dialog that was taken.
	Dialog Dialog
	// Items are, after Dialogs, the refusals of its changes in order.
	Items []Refusal
}

// Err is the refusal as an error, or nil.
func (r Result) Err() error {
	if r.Refusal == None {
		return nil
	}
	return r.Refusal
}

// Refusal says why a command was not carried out. It is an error, except for None.
type Refusal uint8

// The refusals. Their numbers are in logs and snapshots: never change one.
const (
	None     Refusal = 0
	Invalid  Refusal = 1 // a field is missing, too long or out of range
	Unknown  Refusal = 2 // the node is not there, or its run is over
	Draining Refusal = 3 // the node takes no new rooms
	Stale    Refusal = 4 // an incarnation or version that a newer one has replaced
	NotOwner Refusal = 5 // the dialog belongs to someone else
	NotFound Refusal = 6 // there is no such dialog
	Full     Refusal = 7 // a limit of limits.go is reached
	Expired  Refusal = 8 // too late to say whether this request was carried out
)

var refusalTexts = [...]string{
	None:     "not refused",
	Invalid:  "a field is missing, too long or out of range",
	Unknown:  "the node is not part of the site now, or has restarted since",
	Draining: "the node is draining and takes no new rooms",
	Stale:    "a newer version or a later run of the node has replaced this one",
	NotOwner: "the dialog belongs to another node",
	NotFound: "no such dialog",
	Full:     "the site's registry is full; see the limits of package registry",
	Expired:  "the request came too late to tell whether it was carried out before",
}

// Error says in words what the refusal means.
func (r Refusal) Error() string {
	if int(r) < len(refusalTexts) {
		return refusalTexts[r]
	}
	return fmt.Sprintf("refused with code %d, which this version does not know", uint8(r))
}
