package tone

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// WriteWAV writes s as a 16-bit mono WAV file.
func (s Sound) WriteWAV(path string) error {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer does not fail
	size, rate := uint32(2*len(s.Samples)), uint32(s.Rate)
	b.WriteString("RIFF")
	le(36 + size)
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le([]uint16{1, 1}) // PCM, mono
	le([]uint32{rate, 2 * rate})
	le([]uint16{2, 16}) // octets a sample, bits a sample
	b.WriteString("data")
	le(size)
	le(s.Samples)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing a sound: %w", err)
	}
	return nil
}

// ReadWAV reads a 16-bit WAV file, of several channels the first. One that is still being written, or whose
// writer was killed, has a wrong length in its head: what is there is read.
func ReadWAV(path string) (Sound, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Sound{}, fmt.Errorf("reading a sound: %w", err)
	}
	s, err := parseWAV(content)
	if err != nil {
		return Sound{}, fmt.Errorf("reading a sound: %s: %w", path, err)
	}
	return s, nil
}

func parseWAV(content []byte) (Sound, error) {
	if len(content) < 12 || string(content[:4]) != "RIFF" || string(content[8:12]) != "WAVE" {
		return Sound{}, errors.New("no WAV file")
	}
	var s Sound
	channels := 1
	for rest := content[12:]; len(rest) >= 8; {
		name, length := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if length > len(rest) || name == "data" && length == 0 {
			length = len(rest)
		}
		switch chunk := rest[:length]; {
		case name == "fmt " && length >= 16:
			tag, bits := binary.LittleEndian.Uint16(chunk), binary.LittleEndian.Uint16(chunk[14:])
			channels = int(binary.LittleEndian.Uint16(chunk[2:]))
			if tag != 1 || channels == 0 || bits != 16 {
				return Sound{}, fmt.Errorf("format tag %d, %d channels, %d bits: only 16-bit PCM is read", tag, channels, bits)
			}
			s.Rate = int(binary.LittleEndian.Uint32(chunk[4:]))
		case name == "data" && s.Rate != 0:
			s.Samples = make([]int16, length/2)
			_, err := binary.Decode(chunk[:length/2*2], binary.LittleEndian, s.Samples)
			for i := range len(s.Samples) / channels {
				s.Samples[i] = s.Samples[i*channels]
			}
			s.Samples = s.Samples[:len(s.Samples)/channels]
			return s, err
		}
		rest = rest[min(length+length%2, len(rest)):]
	}
	return Sound{}, errors.New("no samples")
}
