package codec

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec/g729"
)

// G729 is G.729 with Annexes A and B by bcg729. silence: our pauses are sent as comfort
// noise, to peers that take it; what peers send so is decoded anyway.
func G729(silence bool) Codec {
	c := Codec{
		Format:  Format{Name: "G729", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 18, FrameTime: 10 * time.Millisecond, Fmtp: "annexb=yes"},
		Backend: "bcg729",
		Golden:  voiced(8000, 20*time.Millisecond),
	}
	library, err := g729.Open()
	if err != nil {
		c.Missing = err
		return c
	}
	c.NewEncoder = func(f Format) (Encoder, error) {
		annexB, _ := Parameters(f.Fmtp).Get("annexb")
		return library.NewEncoder(silence && annexB != "no")
	}
	c.NewDecoder = func(Format) (Decoder, error) { return library.NewDecoder() }
	return c
}
