package codec

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec/g723"
)

// G723 is G.723.1 by libavcodec: 6.3 kbit/s are sent, both rates and comfort noise taken.
func G723() Codec {
	c := Codec{
		Format:  Format{Name: "G723", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 4, FrameTime: 30 * time.Millisecond},
		Backend: "libavcodec",
		Golden:  voiced(8000, 30*time.Millisecond),
	}
	library, err := g723.Open()
	if err != nil {
		c.Missing = err
		return c
	}
	c.NewEncoder = func(Format) (Encoder, error) { return library.NewEncoder() }
	c.NewDecoder = func(Format) (Decoder, error) { return library.NewDecoder() }
	return c
}
