package store

import (
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/store/money"
)

// Batch is what a node has to tell after the store was away: many records at once, each as
// the method that is named beside it takes it.
type Batch struct {
	Calls  []Call            // PutCall
	Steps  []CallStep        // AppendCallSteps
	Stays  []PromisedStay    // RecordStay
	Events []ConferenceEvent // AppendConferenceEvents
	Ends   []XDR             // SettleStay
	Beats  []NodeRun         // Heartbeat: the run, and HeartbeatAt
}

// PromisedStay is a stay that began, or was extended, on a node's word.
type PromisedStay struct {
	Participant Participant
	Total       money.Amount // all that is reserved for it
}

// Empty says whether it holds no record.
func (b Batch) Empty() bool {
	return len(b.Calls)+len(b.Steps)+len(b.Stays)+len(b.Events)+len(b.Ends)+len(b.Beats) == 0
}

// Validate says what is wrong with the records, as their own methods would.
func (b Batch) Validate() error {
	var errs []error
	for _, c := range b.Calls {
		errs = append(errs, about("call", c.ID, c.Validate()))
	}
	for _, s := range b.Steps {
		errs = append(errs, about("step of call", s.CallID, s.Validate()))
	}
	for _, s := range b.Stays {
		errs = append(errs, about("stay", s.Participant.ID, errors.Join(s.Participant.Validate(), ValidateReservation(s.Total))))
	}
	for _, e := range b.Events {
		errs = append(errs, about("event of conference", e.ConferenceID, e.Validate()))
	}
	for _, x := range b.Ends {
		errs = append(errs, about("xDR", x.ID, x.Validate()))
	}
	return errors.Join(errs...)
}

// about says which record an error is about.
func about[ID ~string](what string, id ID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, id, err)
}
