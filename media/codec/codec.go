package codec

import "errors"

// ErrBuffer is returned, possibly wrapped, by an encoder or decoder whose
// destination is too short for what the source holds.
var ErrBuffer = errors.New("destination too short")

// Format is what two ends of a call agree on. It is comparable.
type Format struct {
	Name        string // encoding name as registered for RTP, compared without case: "PCMU"
	ClockRate   int    // Hz of the RTP timestamp
	SampleRate  int    // Hz of the PCM; G.722 has 16000 here and, by RFC 3551 section 4.5.2, 8000 above
	Channels    int    // 1
	PayloadType int    // the static type of RFC 3551, or -1 where the type is dynamic
	Fmtp        string // the a=fmtp parameters, without the payload type; often empty
}

// Encoder turns PCM into payloads of one stream.
type Encoder interface {
	// Encode writes the payload for pcm, a whole multiple of 10 ms at the
	// format's SampleRate, to dst and returns its length in octets.
	Encode(dst []byte, pcm []int16) (n int, err error)
}

// Decoder turns the payloads of one stream into PCM, in the order they were sent.
type Decoder interface {
	// Decode writes the payload's audio to pcm and returns how many samples it
	// has. A payload that is not of this codec, or that has more audio than pcm
	// can hold, is an error; the decoder then goes on with the next one.
	Decode(pcm []int16, payload []byte) (n int, err error)
}

// Concealer is a Decoder that can stand in for a lost payload by itself.
type Concealer interface {
	// Conceal writes what the lost audio may have been, at most len(pcm)
	// samples, and returns how many it wrote. 0 means that it cannot.
	Conceal(pcm []int16) int
}

// Codec is a format and how to make its two ends.
type Codec struct {
	Format
	// NewEncoder and NewDecoder make the state of one stream. Either may be nil:
	// a codec that works one way only is listed, and not offered.
	NewEncoder func() (Encoder, error)
	NewDecoder func() (Decoder, error)
	// Backend is what does the work: "go", or the name of a library.
	Backend string
	// Stateless says that the payload depends on nothing but the PCM that it
	// holds, so that one encoding can be sent to all who hear the same.
	Stateless bool
	// Golden is what the registry tries the codec on.
	Golden Golden
}
