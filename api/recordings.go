package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) recordings() {
	register(s, endpoint{method: http.MethodGet, path: "/recordings", id: "list-recordings", tag: "Recordings",
		summary: "List recordings", access: seer}, s.listRecordings)
	register(s, endpoint{method: http.MethodGet, path: "/recordings/{recording}", id: "get-recording", tag: "Recordings",
		summary: "Show a recording and its segments", access: seer, errors: []int{http.StatusNotFound}}, s.getRecording)
	register(s, endpoint{method: http.MethodGet, path: "/recordings/{recording}/segments/{segment}/audio", id: "download-recording", tag: "Recordings", streaming: true,
		summary: "Download the audio of a segment",
		doc: "The mix, or with participant= what one participant said. Parts of it can be asked for with Range (RFC 9110). " +
			"Of a segment that is being written it is what there is so far.",
		access: manager, errors: []int{http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable}}, s.downloadRecording)
	register(s, endpoint{method: http.MethodDelete, path: "/recordings/{recording}", id: "remove-recording", tag: "Recordings",
		summary: "Remove a recording", doc: "Nobody sees it any more; each node that has files of it removes them within a minute, or when it is back.",
		access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.removeRecording)
	register(s, endpoint{method: http.MethodPost, path: "/conferences/{conference}/recording", id: "start-recording", tag: "Recordings",
		summary: "Have a conference recorded", doc: "The participants are told, unless the room's settings say otherwise. Where it is recorded already, nothing is changed.",
		access: manager, status: http.StatusNoContent, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.startRecording)
	register(s, endpoint{method: http.MethodDelete, path: "/conferences/{conference}/recording", id: "stop-recording", tag: "Recordings",
		summary: "End a conference's recording", access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.stopRecording)
}

// InRecording is a recording in a path.
type InRecording struct {
	Recording string `path:"recording" maxLength:"64" doc:"Id"`
}

func (in InRecording) id() store.RecordingID { return store.RecordingID(in.Recording) }

func recordingView(r store.Recording) v1.Recording {
	return v1.Recording{ID: string(r.ID), CustomerID: string(r.CustomerID), RoomID: string(r.RoomID), RoomName: r.RoomName, ConferenceID: string(r.ConferenceID),
		Format: string(r.Format), Tracks: r.Tracks, Announced: r.Announced, RetentionDays: r.Retention,
		StartedAt: r.StartedAt, StartedBy: r.StartedBy, StoppedAt: r.StoppedAt, StoppedBy: r.StoppedBy, Reason: string(r.Reason)}
}

func segmentView(s store.RecordingSegment) v1.RecordingSegment {
	view := v1.RecordingSegment{ID: string(s.ID), Number: s.Number, ConferenceID: string(s.ConferenceID), Node: placeView(s.Place),
		StartedAt: s.StartedAt, EndedAt: s.EndedAt, LengthSeconds: s.Length.Seconds(), Octets: s.Octets,
		Gaps: s.Gaps, GapSeconds: s.GapTime.Seconds(), Reason: string(s.Reason), Detail: s.Detail}
	for _, id := range s.Tracks {
		view.Tracks = append(view.Tracks, string(id))
	}
	return view
}

func (s *server) listRecordings(ctx context.Context, in *struct {
	Tenant
	Paging
	Room       string `query:"room" maxLength:"64" doc:"Only this room's: its id"`
	Conference string `query:"conference" maxLength:"64" doc:"Only this conference's: its id"`
}) (*reply[v1.Page[v1.Recording]], error) {
	scope, err := in.scope(callerOf(ctx))
	if err != nil {
		return nil, err
	}
	f := store.RecordingFilter{RoomID: store.RoomID(in.Room), ConferenceID: store.ConferenceID(in.Conference)}
	rows, err := s.Store.ListRecordings(ctx, scope, f, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(r store.Recording) string { return string(r.ID) }, recordingView), nil
}

func (s *server) getRecording(ctx context.Context, in *InRecording) (*reply[v1.RecordingDetail], error) {
	r, segments, err := s.Store.Recording(ctx, callerOf(ctx).scope, in.id())
	if err != nil {
		return nil, err
	}
	view := v1.RecordingDetail{Recording: recordingView(r), Segments: make([]v1.RecordingSegment, len(segments))}
	for i, g := range segments {
		view.Segments[i] = segmentView(g)
	}
	return &reply[v1.RecordingDetail]{view}, nil
}

// mediaTypes are those of the formats (RFC 2361; RFC 7845 section 9).
var mediaTypes = map[store.RecordingFormat]string{store.FormatWAV: "audio/vnd.wave", store.FormatOgg: "audio/ogg; codecs=opus"}

func (s *server) downloadRecording(ctx context.Context, in *struct {
	InRecording
	Segment     string `path:"segment" maxLength:"64" doc:"Id"`
	Participant string `query:"participant" maxLength:"64" doc:"Whose track; left out: the mix"`
}) (*huma.StreamResponse, error) {
	r, segments, err := s.Store.Recording(ctx, callerOf(ctx).scope, in.id())
	if err != nil {
		return nil, err
	}
	for _, g := range segments {
		if string(g.ID) != in.Segment {
			continue
		}
		file, err := s.Files.Open(ctx, g, r.Format, store.ParticipantID(in.Participant))
		if err != nil {
			return nil, err
		}
		return s.serveAudio(r, g, file, in.Participant), nil
	}
	return nil, fmt.Errorf("segment %s of the recording: %w", in.Segment, store.ErrNotFound)
}

// serveAudio answers with a file, or the parts of it that are asked for.
func (s *server) serveAudio(r store.Recording, g store.RecordingSegment, file io.ReadSeekCloser, participant string) *huma.StreamResponse {
	name := fmt.Sprintf("%s-%03d", r.ID, g.Number)
	if participant != "" {
		name += "-" + participant
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer file.Close()
		request, w := humachi.Unwrap(hc)
		w.Header().Set("Content-Type", mediaTypes[r.Format])
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, name, r.Format))
		w.Header().Set("Cache-Control", "no-store")
		if !g.EndedAt.IsZero() {
			w.Header().Set("ETag", `"`+string(g.ID)+`"`) // it changes no more
		}
		http.ServeContent(w, request, "", time.Time{}, file)
	}}
}

func (s *server) removeRecording(ctx context.Context, in *InRecording) (*empty, error) {
	who := callerOf(ctx)
	return &empty{}, s.Store.RemoveRecording(ctx, who.scope, in.id(), s.now(), who.by().String())
}

func (s *server) startRecording(ctx context.Context, in *struct {
	InConference
	Body v1.NewRecording
}) (*empty, error) {
	c, err := s.running(ctx, in.id())
	if err != nil {
		return nil, err
	}
	o := conference.RecordingOptions{Format: store.RecordingFormat(in.Body.Format), Tracks: in.Body.Tracks}
	return &empty{}, s.Focus.StartRecording(ctx, c.ID, o, callerOf(ctx).by())
}

func (s *server) stopRecording(ctx context.Context, in *InConference) (*empty, error) {
	c, err := s.running(ctx, in.id())
	if err != nil {
		return nil, err
	}
	return &empty{}, s.Focus.StopRecording(ctx, c.ID, callerOf(ctx).by())
}
