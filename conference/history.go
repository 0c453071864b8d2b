package conference

import (
	"encoding/json"

	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// maxUnwritten is how many writes of a host's conferences may wait for the store.
// When that many do, commands to conferences wait too; audio does not.
const maxUnwritten = 4096

// rows are a conference's events as the store keeps them, numbered from first.
func rows(id store.ConferenceID, first int64, events []roster.Event) []store.ConferenceEvent {
	list := make([]store.ConferenceEvent, len(events))
	for i, e := range events {
		detail, err := json.Marshal(e)
		if err != nil {
			detail = nil // no field of an event can fail to marshal
		}
		list[i] = store.ConferenceEvent{ConferenceID: id, Seq: first + int64(i), At: e.At,
			Kind: string(e.Kind), ParticipantID: e.Participant, By: e.By, Detail: detail}
	}
	return list
}

// History reads events back, for roster.Replay.
func History(list []store.ConferenceEvent) ([]roster.Event, error) {
	events := make([]roster.Event, len(list))
	for i, row := range list {
		e := &events[i]
		if len(row.Detail) > 0 {
			if err := json.Unmarshal(row.Detail, e); err != nil {
				return nil, err
			}
		}
		e.Kind, e.At, e.Participant, e.By = roster.Kind(row.Kind), row.At, row.ParticipantID, row.By
	}
	return events, nil
}
