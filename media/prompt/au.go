package prompt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/g711"
)

// The encodings of an .au file that can be read.
const (
	auMuLaw = 1
	auPCM16 = 3
	auALaw  = 27
)

// decodeAU reads a Sun .au file: six big-endian words (magic, offset of the
// data, its length or all ones, encoding, rate, channels), a comment, the data.
func decodeAU(content []byte) (sound, error) {
	if len(content) < 24 || string(content[:4]) != ".snd" {
		return sound{}, errors.New("is no .au file by its content")
	}
	word := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(content[4*i:])) }
	offset, length := word(1), word(2)
	if offset < 24 || offset > uint64(len(content)) {
		return sound{}, fmt.Errorf("says that its data begins at byte %d of %d", offset, len(content))
	}
	data := content[offset:]
	data = data[:min(length, uint64(len(data)))]

	s := sound{rate: int(word(4)), channels: int(word(5))}
	switch encoding := word(3); encoding {
	case auMuLaw:
		s.pcm = expand(data, g711.MuLaw())
	case auALaw:
		s.pcm = expand(data, g711.ALaw())
	case auPCM16:
		s.pcm = linear(data, binary.BigEndian)
	default:
		return sound{}, fmt.Errorf("has .au encoding %d, not 16-bit PCM, A-law or mu-law", encoding)
	}
	return s, nil
}
