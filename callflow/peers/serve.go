package peers

import (
	"context"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// Hosting is what a node does for callers whose calls other nodes have taken; a
// callflow.Engine.
type Hosting interface {
	Reserve(ctx context.Context, r callflow.Reservation) (store.ConferenceID, error)
	Cancel(p store.ParticipantID)
	Key(p store.ParticipantID, digit byte) error
	Hold(p store.ParticipantID, held bool) error
	Say(p store.ParticipantID, prompts []prompt.ID) error
	Standing(from store.Place, p store.ParticipantID, st roster.Standing) error
	Media(callers []store.ParticipantID) map[store.ParticipantID]callflow.MediaReport
	Qualities(ctx context.Context, callers []store.ParticipantID) map[store.ParticipantID]callflow.Quality
	MediaEnded(p store.ParticipantID, r callflow.MediaReport) error
}

// Locator knows where the conferences of its site run; a sites.Cluster.
type Locator interface {
	WhereIs(ctx context.Context, room store.Room, over uint64) (sites.Assignment, error)
}

// Serve adds the methods to a node's server.
func Serve(s *rpc.Server, h Hosting, l Locator) {
	rpc.Handle(s, methodReserve, func(ctx context.Context, _ certs.Identity, r reserveRequest) (reserveAnswer, error) {
		id, err := h.Reserve(ctx, callflow.Reservation{Admission: r.Admission, Name: unpack(r.Name), Term: r.Term})
		return reserveAnswer{Conference: id}, err
	})
	handle := func(method string, do func(a about) error) {
		rpc.Handle(s, method, func(_ context.Context, _ certs.Identity, a about) (nothing, error) { return nothing{}, do(a) })
	}
	handle(methodCancel, func(a about) error { h.Cancel(a.Participant); return nil })
	handle(methodKey, func(a about) error { return h.Key(a.Participant, a.Digit) })
	handle(methodHold, func(a about) error { return h.Hold(a.Participant, a.Held) })
	handle(methodSay, func(a about) error { return h.Say(a.Participant, a.Prompts) })
	rpc.Handle(s, methodStanding, func(_ context.Context, peer certs.Identity, r standingRequest) (nothing, error) {
		return nothing{}, h.Standing(store.Place{Site: peer.Site, Node: peer.Node}, r.Participant, r.Standing)
	})
	rpc.Handle(s, methodMedia, func(_ context.Context, _ certs.Identity, r mediaRequest) (map[store.ParticipantID]callflow.MediaReport, error) {
		return h.Media(r.Callers), nil
	})
	rpc.Handle(s, methodQualities, func(ctx context.Context, _ certs.Identity, r mediaRequest) (map[store.ParticipantID]callflow.Quality, error) {
		return h.Qualities(ctx, r.Callers), nil
	})
	rpc.Handle(s, methodMediaEnded, func(_ context.Context, _ certs.Identity, r mediaEndedRequest) (nothing, error) {
		return nothing{}, h.MediaEnded(r.Participant, r.Report)
	})
	rpc.Handle(s, methodWhereIs, func(ctx context.Context, _ certs.Identity, r whereRequest) (sites.Assignment, error) {
		return l.WhereIs(ctx, store.Room{ID: r.Room, HomeSite: r.Home}, r.Over)
	})
}
