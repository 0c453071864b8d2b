package codec

import (
	"errors"
	"time"
)

// ErrBuffer is returned, possibly wrapped, by an encoder or decoder whose
// destination is too short for what the source holds.
var ErrBuffer = errors.New("destination too short")

// Format is what two ends of a call agree on. It is comparable.
type Format struct {
	Name        string // encoding name as registered for RTP, compared without case: "PCMU"
	ClockRate   int    // Hz of the RTP timestamp
	SampleRate  int    // Hz of the PCM; G.722 has 16000 here and, by RFC 3551 section 4.5.2, 8000 above
	Channels    int    // of a=rtpmap: 1, or 2 for Opus (RFC 7587 section 4.1), whose audio is mono here all the same
	PayloadType int    // the static type of RFC 3551, or -1 where the type is dynamic
	// FrameTime is what the codec works on: a packet holds a whole multiple of it. 0 is
	// DefaultFrameTime.
	FrameTime time.Duration
	Fmtp      string // the a=fmtp parameters of what we take, without the payload type; often empty
	Peer      string // those of what the peer takes; empty before the negotiation
}

// DefaultFrameTime is that of codecs that work on samples.
const DefaultFrameTime = 10 * time.Millisecond

// Frame is FrameTime, or what it is where nothing is said.
func (f Format) Frame() time.Duration {
	if f.FrameTime == 0 {
		return DefaultFrameTime
	}
	return f.FrameTime
}

// Encoder turns PCM into payloads of one stream.
type Encoder interface {
	// Encode writes the payload for pcm, a whole multiple of the format's FrameTime
	// at its SampleRate, to dst and returns its length in octets. 0 octets: nothing
	// is to be sent, for the codec marks silence that way.
	Encode(dst []byte, pcm []int16) (n int, err error)
}

// Decoder turns the payloads of one stream into PCM, in the order they were sent.
type Decoder interface {
	// Decode writes the payload's audio to pcm and returns how many samples it
	// has. A payload that is not of this codec, or that has more audio than pcm
	// can hold, is an error; the decoder then goes on with the next one.
	Decode(pcm []int16, payload []byte) (n int, err error)
}

// Sizer is a Decoder that knows how many samples a payload has by how many octets it has.
type Sizer interface {
	Samples(octets int) int
}

// Concealer is a Decoder that can stand in for a lost payload by itself.
type Concealer interface {
	// Conceal writes what the lost audio may have been, at most len(pcm)
	// samples, and returns how many it wrote. 0 means that it cannot.
	Conceal(pcm []int16) int
}

// Recoverer is a Concealer whose packets may hold a copy of the one before (FEC).
type Recoverer interface {
	Concealer
	// Recover is Conceal for the packet that was lost just before next, which has arrived
	// and is decoded after this. It returns 0 if it cannot.
	Recover(pcm []int16, next []byte) int
}

// LossAdapter is an Encoder that protects what it sends against loss, at a price.
type LossAdapter interface {
	// SetLoss says what share of our packets the peer does not get, 0 to 1.
	SetLoss(share float64)
}

// StateCopier is an Encoder that can go on where another one is, so that a stream that was
// encoded by one is from now on encoded by the other, and the peer hears no seam.
type StateCopier interface {
	// CopyState says whether it did: only for encoders that were made alike. Both go on
	// by themselves then; neither may be used meanwhile.
	CopyState(from Encoder) bool
}

// Closer is an Encoder or Decoder that holds memory outside of Go's, or other resources,
// which Close gives back. It is not used after that.
type Closer interface{ Close() }

// Codec is a format and how to make its two ends.
type Codec struct {
	Format
	// NewEncoder and NewDecoder make the state of one stream, of what a call has agreed
	// on: Format as Agree gave it. Either may be nil: a codec that works one way only is
	// listed, and not offered. What they make may be a Closer.
	NewEncoder func(Format) (Encoder, error)
	NewDecoder func(Format) (Decoder, error)
	// Missing is why there are no constructors: the library is not there. It names the fix.
	Missing error
	// Backend is what does the work: "go", or the name of a library.
	Backend string
	// Stateless says that the payload depends on nothing but the PCM that it
	// holds, so that one encoding can be sent to all who hear the same.
	Stateless bool
	// Golden is what the registry tries the codec on.
	Golden Golden
}
