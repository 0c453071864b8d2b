package recording

import (
	"encoding/binary"
	"math"
)

// wavHead is the size of the header: RIFF, "fmt " and the beginning of "data".
const wavHead = 44

// wav writes a WAV file: PCM, 16 bits, mono. Its header never claims more than there is.
type wav struct {
	file    handle
	samples int    // of a frame
	end     int64  // of what has been written
	buffer  []byte // to be written at end
}

func createWAV(f handle, rate int) (*wav, error) {
	h := make([]byte, 0, wavHead)
	h = append(h, "RIFF\x00\x00\x00\x00WAVEfmt "...)
	h = binary.LittleEndian.AppendUint32(h, 16) // octets of what follows
	h = binary.LittleEndian.AppendUint16(h, 1)  // PCM
	h = binary.LittleEndian.AppendUint16(h, 1)  // channel
	h = binary.LittleEndian.AppendUint32(h, uint32(rate))
	h = binary.LittleEndian.AppendUint32(h, uint32(2*rate)) // octets in a second
	h = binary.LittleEndian.AppendUint16(h, 2)              // octets of a sample of all channels
	h = binary.LittleEndian.AppendUint16(h, 16)             // bits of a sample
	h = append(h, "data\x00\x00\x00\x00"...)
	setWAVLength(h, 0)
	if _, err := f.WriteAt(h, 0); err != nil {
		return nil, err
	}
	return &wav{file: f, samples: rate / 50, end: wavHead}, nil
}

// setWAVLength writes the octets of audio into a header.
func setWAVLength(h []byte, audio int64) {
	binary.LittleEndian.PutUint32(h[4:], uint32(min(audio+wavHead-8, math.MaxUint32)))
	binary.LittleEndian.PutUint32(h[40:], uint32(min(audio, math.MaxUint32-wavHead)))
}

func (w *wav) write(pcm []int16) error {
	for _, v := range pcm {
		w.buffer = binary.LittleEndian.AppendUint16(w.buffer, uint16(v))
	}
	return nil
}

// silence makes the file longer; most file systems keep no zeros that were not written.
func (w *wav) silence(frames uint64) error {
	if err := w.append(); err != nil {
		return err
	}
	end := w.end + int64(frames)*int64(2*w.samples)
	if err := w.file.Truncate(end); err != nil {
		return err
	}
	w.end = end
	return w.head()
}

func (w *wav) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	if err := w.append(); err != nil {
		return err
	}
	return w.head()
}

// append writes the audio. Of what was written in part, as on a full disk, whole samples
// count.
func (w *wav) append() error {
	n, err := w.file.WriteAt(w.buffer, w.end)
	w.end += int64(n &^ 1)
	w.buffer = w.buffer[:copy(w.buffer, w.buffer[n:])]
	return err
}

// head tells of what there is: two writes, of which the one that players go by is last.
func (w *wav) head() error {
	var h [wavHead]byte
	setWAVLength(h[:], w.end-wavHead)
	if _, err := w.file.WriteAt(h[4:8], 4); err != nil {
		return err
	}
	_, err := w.file.WriteAt(h[40:], 40)
	return err
}

func (w *wav) sync() error { return w.file.Sync() }

func (w *wav) close() error {
	err := w.flush()
	for _, e := range []error{w.file.Truncate(w.end), w.head(), w.file.Sync(), w.file.Close()} {
		if err == nil {
			err = e
		}
	}
	return err
}

func (w *wav) size() int64 { return w.end }
