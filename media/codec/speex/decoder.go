package speex

import "github.com/conclave-voice/conclave/media/codec/native"

// Decoder is for one stream. It is for one goroutine at a time.
type Decoder struct{ state }

// NewDecoder makes a decoder that gives PCM of 8000 or 16000 Hz, which must be what the
// other end encoded. Close gives it back.
func (l *Library) NewDecoder(rate int) (*Decoder, error) {
	s, err := l.newState(rate, l.decoderInit, l.decoderDestroy)
	if err != nil {
		return nil, err
	}
	return &Decoder{s}, nil
}

// Decode writes the audio of a payload to pcm and returns how many samples it has: 20 ms
// for each frame.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if d.stream.Closed() {
		return 0, native.ErrClosed
	}
	frames, ok := countFrames(payload)
	if !ok || frames == 0 || len(payload) > maxPayload {
		return 0, errCorrupt
	}
	if frames*d.frame > len(pcm) {
		return 0, native.ErrBuffer
	}
	l, s := d.library, d.stream
	copy(s.Bytes(atPayload, len(payload)), payload)
	s.Call(l.bitsRead, s.Address(atBits), s.Address(atPayload), uintptr(len(payload)))
	for i := range frames {
		if !d.frameInto(pcm[i*d.frame:], s.Address(atBits)) {
			return 0, errCorrupt
		}
	}
	return frames * d.frame, nil
}

// Conceal writes what lost frames may have held, in whole frames of 20 ms, and returns how
// many samples that is.
func (d *Decoder) Conceal(pcm []int16) (n int) {
	if d.stream.Closed() {
		return 0
	}
	for n+d.frame <= len(pcm) && d.frameInto(pcm[n:], 0) {
		n += d.frame
	}
	return n
}

// frameInto decodes the next frame of the bits at an address; 0: it was lost.
func (d *Decoder) frameInto(pcm []int16, bits uintptr) bool {
	code := d.stream.Call(d.library.decode, d.address, bits, d.stream.Address(atSamples)).Int()
	copy(pcm, d.stream.Samples(atSamples, d.frame))
	return code == 0
}
