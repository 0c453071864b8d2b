package prompt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/g711"
)

// The WAVE format tags that can be read.
const (
	wavePCM        = 1
	waveALaw       = 6
	waveMuLaw      = 7
	waveExtensible = 0xFFFE // the tag is in the sub-format
)

// decodeWAV reads a RIFF WAVE file. Chunks other than "fmt " and "data" are
// passed over. Programs that write to a pipe leave the length of the data at 0
// or at its greatest value: the data then ends where the file does.
func decodeWAV(content []byte) (sound, error) {
	if len(content) < 12 || string(content[:4]) != "RIFF" || string(content[8:12]) != "WAVE" {
		return sound{}, errors.New("is no WAV file by its content")
	}
	var format []byte
	for rest := content[12:]; len(rest) >= 8; {
		name, length := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if name == "data" && (length == 0 || length > uint64(len(rest))) {
			length = uint64(len(rest))
		}
		if length > uint64(len(rest)) {
			return sound{}, fmt.Errorf("is cut short inside its %q chunk", name)
		}
		chunk := rest[:length]
		switch name {
		case "fmt ":
			format = chunk
		case "data":
			return decodeWAVData(format, chunk)
		}
		rest = rest[min(length+length%2, uint64(len(rest))):] // chunks are padded to even length
	}
	return sound{}, errors.New("has no sound data")
}

func decodeWAVData(format, data []byte) (sound, error) {
	if len(format) < 16 {
		return sound{}, errors.New("does not say its format before its data")
	}
	tag := binary.LittleEndian.Uint16(format)
	if tag == waveExtensible && len(format) >= 26 {
		tag = binary.LittleEndian.Uint16(format[24:])
	}
	bits := binary.LittleEndian.Uint16(format[14:])
	s := sound{
		channels: int(binary.LittleEndian.Uint16(format[2:])),
		rate:     int(binary.LittleEndian.Uint32(format[4:])),
	}
	switch {
	case tag == wavePCM && bits == 16:
		s.pcm = linear(data, binary.LittleEndian)
	case tag == waveALaw && bits == 8:
		s.pcm = expand(data, g711.ALaw())
	case tag == waveMuLaw && bits == 8:
		s.pcm = expand(data, g711.MuLaw())
	default:
		return sound{}, fmt.Errorf("has format tag %#x with %d bits, not 16-bit PCM, A-law or mu-law", tag, bits)
	}
	return s, nil
}

// expand decodes every octet by a law of G.711.
func expand(data []byte, law *g711.Law) []int16 {
	pcm := make([]int16, len(data))
	_, _ = law.Decode(pcm, data) // it fails only where the destination is shorter
	return pcm
}

// linear reads 16-bit samples; an odd byte at the end is dropped.
func linear(data []byte, order binary.ByteOrder) []int16 {
	pcm := make([]int16, len(data)/2)
	for i := range pcm {
		pcm[i] = int16(order.Uint16(data[2*i:]))
	}
	return pcm
}
