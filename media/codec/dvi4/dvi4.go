package dvi4

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errBuffer = errors.New("dvi4: destination too short")
	errOdd    = errors.New("dvi4: an odd number of samples")
	errHeader = errors.New("dvi4: the payload is shorter than its header")
)

const header = 4 // octets

// Encoder is the state of one stream. The zero value starts one.
type Encoder struct{ state state }

// Encode writes a header and one octet for each two samples.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(pcm)%2 != 0 {
		return 0, errOdd
	}
	n := header + len(pcm)/2
	if len(dst) < n {
		return 0, errBuffer
	}
	binary.BigEndian.PutUint16(dst, uint16(e.state.value))
	dst[2], dst[3] = byte(e.state.index), 0
	for i := range n - header {
		first := e.state.encode(int(pcm[2*i]))
		dst[header+i] = first<<4 | e.state.encode(int(pcm[2*i+1]))
	}
	return n, nil
}

// Decoder has no state: a payload says all. One Decoder serves any number of
// streams at once.
type Decoder struct{}

// Decode writes two samples for each octet behind the header.
func (Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(payload) < header {
		return 0, errHeader
	}
	s := state{value: int(int16(binary.BigEndian.Uint16(payload))), index: int(payload[2])}
	if s.index >= len(steps) {
		return 0, fmt.Errorf("dvi4: step %d, where %d is the last", s.index, len(steps)-1)
	}
	codes := payload[header:]
	if len(pcm) < 2*len(codes) {
		return 0, errBuffer
	}
	for i, c := range codes {
		pcm[2*i] = s.decode(c >> 4)
		pcm[2*i+1] = s.decode(c & 15)
	}
	return 2 * len(codes), nil
}
