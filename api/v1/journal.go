package v1

import (
	"encoding/json"
	"time"
)

// DeadLetter is a record that the database has refused for good.
type DeadLetter struct {
	ID     string          `json:"id"`
	Dead   time.Time       `json:"dead" doc:"When it was put aside"`
	Reason string          `json:"reason" doc:"Why the database refused it"`
	Made   time.Time       `json:"made,omitzero" doc:"When the record was made"`
	Kind   string          `json:"kind,omitempty" doc:"What the record tells; none: it cannot be read"`
	Key    string          `json:"key,omitempty" doc:"Whose records are kept in order with it: a room's, a call's or a run's of the node"`
	Record json.RawMessage `json:"record,omitempty" doc:"The record"`
}

// Journal is how the journal of a node is.
type Journal struct {
	Site        string       `json:"site"`
	Node        string       `json:"node"`
	Records     int64        `json:"records" doc:"That wait for the database"`
	Oldest      time.Time    `json:"oldest,omitzero" doc:"When the record was made that waits longest"`
	Bytes       int64        `json:"bytes" doc:"On the disk"`
	MaxBytes    int64        `json:"maxBytes"`
	Dead        int64        `json:"dead" doc:"How many dead letters there are"`
	DeadLetters []DeadLetter `json:"deadLetters" nullable:"false" doc:"The oldest of them"`
}

// Requeue names dead letters that are to be delivered again.
type Requeue struct {
	IDs []string `json:"ids,omitempty" maxItems:"1000" doc:"None: all that can be read"`
}

// Discard names dead letters that are given up.
type Discard struct {
	IDs []string `json:"ids" minItems:"1" maxItems:"1000"`
	Why string   `json:"why" minLength:"1" maxLength:"255" doc:"Is kept with them"`
}

// Settled says how many dead letters were requeued or discarded.
type Settled struct {
	Count int `json:"count"`
}
