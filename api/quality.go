package api

import (
	"context"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/store"
)

// Media tells how the media of participants is now. Those of whom nothing is known are
// left out.
type Media interface {
	Qualities(ctx context.Context, list []store.Participant) map[store.ParticipantID]callflow.Quality
}

// viewWithMedia asks how the media of participants is, once for all, and gives what shows
// one of them.
func (s *server) viewWithMedia(ctx context.Context, list []store.Participant) func(store.Participant) v1.Participant {
	var media map[store.ParticipantID]callflow.Quality
	if s.Media != nil {
		media = s.Media.Qualities(ctx, list)
	}
	return func(p store.Participant) v1.Participant {
		view := participantView(p)
		if q, known := media[p.ID]; known {
			view.Media = mediaView(q)
		}
		return view
	}
}

func mediaView(q callflow.Quality) *v1.ParticipantMedia {
	return &v1.ParticipantMedia{Codec: q.Codec, Way: q.Media, RoundTripMs: q.RoundTripMs, Inbound: directionView(q.Inbound), Outbound: directionView(q.Outbound)}
}

// directionView is nil where nothing is known.
func directionView(d callflow.Direction) *v1.MediaDirection {
	if d == (callflow.Direction{}) {
		return nil
	}
	view := &v1.MediaDirection{RatedSeconds: d.Rated, Loss: d.Loss, JitterMs: d.JitterMs, DelayMs: d.DelayMs, MOS: d.MOS,
		MeanLoss: d.MeanLoss, MeanMOS: d.MeanMOS, WorstMOS: d.WorstMOS}
	if r := d.Reported; r != (callflow.Claims{}) {
		view.Reported = &v1.ReportedMedia{MOS: r.MOS, ListeningMOS: r.ListeningMOS, R: r.R, Lost: r.Lost, Discarded: r.Discarded,
			EndSystemDelayMs: r.EndSystemDelay, SignalDbm0: r.SignalLevel, NoiseDbm0: r.NoiseLevel}
	}
	return view
}
