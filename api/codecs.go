package api

import (
	"context"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/media/codec"
)

func (s *server) codecs() {
	register(s, endpoint{method: http.MethodGet, path: "/codecs", id: "list-codecs", tag: "Cluster",
		summary: "List the codecs", doc: "Of the node that is asked, in its order of preference, with why some are not available. They are tried when the node starts.", access: seer}, s.listCodecs)
}

func (s *server) listCodecs(context.Context, *empty) (*reply[[]v1.Codec], error) {
	return &reply[[]v1.Codec]{s.Codecs}, nil
}

// Codecs lists a registry's codecs.
func Codecs(r *codec.Registry) []v1.Codec {
	list := []v1.Codec{}
	for _, s := range r.Status() {
		c := v1.Codec{Name: s.Name, ClockRate: s.ClockRate, SampleRate: s.SampleRate, PayloadType: s.PayloadType,
			FrameMillis: int(s.Frame() / time.Millisecond), Backend: s.Backend, Available: s.Available, Encodes: s.Encode == nil, Decodes: s.Decode == nil}
		if s.Reason != nil {
			c.Reason = s.Reason.Error()
		}
		list = append(list, c)
	}
	return list
}
