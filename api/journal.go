package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
)

func (s *server) journal() {
	const own = "Each node has its own journal: that of the node that is asked."
	register(s, endpoint{method: http.MethodGet, path: "/journal", id: "get-journal", tag: "Journal",
		summary: "Show the node's journal, and its dead letters", doc: own + " Dead letters are records that the database has refused for good, with the reason.", access: operator}, s.getJournal)
	register(s, endpoint{method: http.MethodPost, path: "/journal/requeue", id: "requeue-records", tag: "Journal",
		summary: "Deliver dead letters again", doc: own + " One that is refused again becomes a dead letter again. A record counts once, however often it is delivered.", access: operator, errors: []int{http.StatusNotFound}}, s.requeue)
	register(s, endpoint{method: http.MethodPost, path: "/journal/discard", id: "discard-records", tag: "Journal",
		summary: "Give dead letters up", doc: own + " They stay on its disk, in discarded-letters.jsonl, with who gave them up and why.", access: operator, errors: []int{http.StatusNotFound}}, s.discard)
}

func (s *server) getJournal(_ context.Context, in *struct {
	Limit int `query:"limit" minimum:"0" maximum:"1000" default:"100" doc:"So many dead letters at most"`
}) (*reply[v1.Journal], error) {
	letters, err := s.Journal.DeadLetters(in.Limit)
	if err != nil {
		return nil, err
	}
	stats, self := s.Journal.Stats(), s.Place
	j := v1.Journal{Site: self.Site, Node: self.Node, Records: int64(stats.Waiting), Oldest: stats.Oldest, Bytes: stats.Bytes, MaxBytes: stats.Max,
		Dead: stats.DeadLetters, DeadLetters: make([]v1.DeadLetter, len(letters))}
	for i, l := range letters {
		j.DeadLetters[i] = v1.DeadLetter{ID: l.ID, Dead: l.Dead, Reason: l.Reason, Made: l.Made, Kind: l.Kind, Key: l.Key, Record: l.Record}
	}
	return &reply[v1.Journal]{j}, nil
}

func (s *server) requeue(ctx context.Context, in *struct{ Body v1.Requeue }) (*reply[v1.Settled], error) {
	n, err := s.Journal.Requeue(in.Body.IDs, callerOf(ctx).name)
	return &reply[v1.Settled]{v1.Settled{Count: n}}, err
}

func (s *server) discard(ctx context.Context, in *struct{ Body v1.Discard }) (*reply[v1.Settled], error) {
	n, err := s.Journal.Discard(in.Body.IDs, in.Body.Why, callerOf(ctx).name)
	return &reply[v1.Settled]{v1.Settled{Count: n}}, err
}
