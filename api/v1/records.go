package v1

import (
	"encoding/json"
	"time"

	"github.com/conclave-voice/conclave/store/money"
)

// Call is one call leg, whatever became of it.
type Call struct {
	ID         string    `json:"id"`
	SIPCallID  string    `json:"sipCallId"`
	CustomerID string    `json:"customerId,omitempty" doc:"Of the room joined; left out until known"`
	Direction  string    `json:"direction" enum:"in,out"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Source     string    `json:"source" doc:"Address and port"`
	Transport  string    `json:"transport"`
	Node       Place     `json:"node"`
	StartedAt  time.Time `json:"startedAt"`
	AnsweredAt time.Time `json:"answeredAt,omitzero"`
	EndedAt    time.Time `json:"endedAt,omitzero"`
	SIPStatus  int       `json:"sipStatus,omitempty" doc:"Of the final response to the INVITE"`
	Cause      string    `json:"cause,omitempty"`
}

// CallTrace is a call with each of its steps.
type CallTrace struct {
	Call
	Steps []CallStep `json:"steps" nullable:"false"`
}

// CallStep is one step of a call.
type CallStep struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Step    string    `json:"step" example:"authorize"`
	Outcome string    `json:"outcome" example:"ok"`
	Detail  string    `json:"detail,omitempty"`
}

// XDR is one rated usage record: one participant's stay, whose id it has.
type XDR struct {
	ID              string          `json:"id"`
	ConferenceID    string          `json:"conferenceId"`
	RoomID          string          `json:"roomId"`
	RoomName        string          `json:"roomName"`
	CustomerID      string          `json:"customerId"`
	AccountID       string          `json:"accountId"`
	CallID          string          `json:"callId"`
	Service         string          `json:"service"`
	Caller          string          `json:"caller"`
	Called          string          `json:"called"`
	Ingress         Place           `json:"ingress"`
	Focus           Place           `json:"focus"`
	Epoch           uint64          `json:"epoch"`
	StartedAt       time.Time       `json:"startedAt"`
	EndedAt         time.Time       `json:"endedAt"`
	DurationSeconds int64           `json:"durationSeconds"`
	BilledSeconds   int64           `json:"billedSeconds" doc:"The duration rounded up to started intervals"`
	Rate            Rate            `json:"rate"`
	Amount          money.Amount    `json:"amount" example:"0.90"`
	Currency        string          `json:"currency"`
	Cause           string          `json:"cause"`
	Inbound         Score           `json:"inbound,omitzero" doc:"Of what was heard of the caller. Left out if nothing is known"`
	Outbound        Score           `json:"outbound,omitzero" doc:"Of what the caller heard, by its telephone's reports. Left out if it made none"`
	Quality         json.RawMessage `json:"quality,omitempty" doc:"What the media said of the stay"`
	RecordedAt      time.Time       `json:"recordedAt"`
}

// Score is how good one direction of a stay's media was.
type Score struct {
	MOS      float64 `json:"mos" minimum:"1" maximum:"5" example:"4.38" doc:"By the E-model (ITU-T G.107, G.107.1): the mean of the stay"`
	WorstMOS float64 `json:"worstMos" minimum:"1" maximum:"5" example:"3.94" doc:"Of its worst interval of some 5 s"`
	Loss     float64 `json:"loss" minimum:"0" maximum:"1" example:"0.0021" doc:"Share of the packets that were lost or came too late to be heard"`
}
