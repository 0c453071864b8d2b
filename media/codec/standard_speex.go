package codec

import (
	"strconv"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/media/codec/speex"
)

// Speex is Speex by libspeex, narrowband and wideband. A peer that is told nothing sends
// narrowband at 8 kbit/s; we would rather have 15 (mode 5).
func Speex() []Codec {
	library, err := speex.Open()
	codecs := make([]Codec, 2)
	for i, rate := range []int{8000, 16000} {
		codecs[i] = Codec{
			Format: Format{Name: "speex", ClockRate: rate, SampleRate: rate, Channels: 1, PayloadType: -1, FrameTime: 20 * time.Millisecond,
				Fmtp: [...]string{`mode="5,any"`, `mode="8,any"`}[i]},
			Backend: "libspeex",
			Golden:  voiced(rate, 20*time.Millisecond),
			Missing: err,
		}
		if err == nil {
			codecs[i].NewEncoder = func(f Format) (Encoder, error) { return library.NewEncoder(speexEncoding(f)) }
			codecs[i].NewDecoder = func(f Format) (Decoder, error) { return library.NewDecoder(f.SampleRate) }
		}
	}
	return codecs
}

// speexEncoding is the first mode of those that the peer prefers and we have, or what we like
// if it takes any. What a peer prefers that says nothing is in RFC 5574 section 4.1.
func speexEncoding(f Format) speex.EncoderConfig {
	c := speex.EncoderConfig{SampleRate: f.SampleRate}
	modes, said := Parameters(f.Peer).Get("mode")
	if !said {
		modes = "3,any"
		if f.SampleRate == 16000 {
			modes = "8,any"
		}
	}
	for text := range strings.SplitSeq(modes, ",") {
		mode, err := strconv.Atoi(strings.Trim(text, "\" "))
		switch {
		case err != nil: // "any"
			return c
		case f.SampleRate == 8000 && mode >= 1 && mode <= 8:
			c.Mode = mode
			return c
		case f.SampleRate == 16000 && mode >= 1 && mode <= 10:
			c.Quality = mode
			return c
		}
	}
	return c
}
