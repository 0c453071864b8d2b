package codectest

import (
	"slices"
	"testing"
)

// Sentence is for Speech where any will do.
const Sentence = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a well."

// Open opens a library of the machine, which a test cannot do without.
func Open[L any](t testing.TB, open func() (L, error)) L {
	t.Helper()
	l, err := open()
	if err != nil {
		NeedLibrary(t, err)
	}
	return l
}

// Encoder and Decoder are those of a library.
type (
	Encoder interface {
		Encode(dst []byte, pcm []int16) (int, error)
		Close()
	}
	Decoder interface {
		Decode(dst []int16, payload []byte) (int, error)
		Close()
	}
)

// Encode gives a payload, of at most so many octets, for each packet of so many samples. It
// closes the encoder; err is what came of making it.
func Encode(t testing.TB, e Encoder, err error, pcm []int16, samples, octets int) (payloads [][]byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for packet := range slices.Chunk(pcm[:len(pcm)-len(pcm)%samples], samples) {
		dst := make([]byte, octets)
		n, err := e.Encode(dst, packet)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, dst[:n])
	}
	return payloads
}

// Decode gives the audio of payloads, each of at most so many samples. It closes the decoder;
// err is what came of making it.
func Decode(t testing.TB, d Decoder, err error, payloads [][]byte, samples int) (pcm []int16) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	out := make([]int16, samples)
	for _, p := range payloads {
		n, err := d.Decode(out, p)
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, out[:n]...)
	}
	return pcm
}
