package codec

import (
	"strconv"
	"time"

	"github.com/conclave-voice/conclave/media/codec/opus"
)

// Opus is Opus by libopus, at the rate that is agreed: 8, 16 or 48 kHz, but no more than most,
// in Hz, for what nobody mixes need not be encoded.
func Opus(most int) Codec {
	c := Codec{
		// useinbandfec: we decode the copies that packets have of the frame before. What is
		// not said has its default: mono is preferred (RFC 7587 section 6.1).
		Format:  Format{Name: "opus", ClockRate: 48000, SampleRate: most, Channels: 2, PayloadType: -1, FrameTime: 20 * time.Millisecond, Fmtp: "useinbandfec=1"},
		Backend: "libopus",
		Golden:  voiced(most, 20*time.Millisecond),
	}
	if most < 48000 {
		c.Fmtp += ";maxplaybackrate=" + strconv.Itoa(most)
	}
	library, err := opus.Open()
	if err != nil {
		c.Missing = err
		return c
	}
	c.NewEncoder = func(f Format) (Encoder, error) {
		e, err := library.NewEncoder(opusEncoding(f))
		return opusEncoder{e}, err
	}
	c.NewDecoder = func(f Format) (Decoder, error) { return library.NewDecoder(f.SampleRate) }
	return c
}

// opusEncoding is what the peer wants to be sent (RFC 7587 section 6.1).
func opusEncoding(f Format) opus.EncoderConfig {
	peer := Parameters(f.Peer)
	return opus.EncoderConfig{
		SampleRate: f.SampleRate, MaxBitrate: peer.Int("maxaveragebitrate", 0), MaxPlayback: peer.Int("maxplaybackrate", 0),
		FEC: peer.Int("useinbandfec", 0) == 1, Constant: peer.Int("cbr", 0) == 1, Silence: peer.Int("usedtx", 0) == 1,
	}
}

// opusEncoder is opus.Encoder as a StateCopier.
type opusEncoder struct{ *opus.Encoder }

func (e opusEncoder) CopyState(from Encoder) bool {
	other, ok := from.(opusEncoder)
	return ok && e.Encoder.CopyState(other.Encoder)
}
