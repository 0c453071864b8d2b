package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/resample"
	"github.com/conclave-voice/conclave/store"
)

const (
	opusRate  = 48000         // of granule positions, whatever the rate of the audio (RFC 7845 section 4)
	opusFrame = opusRate / 50 // samples of a packet
	maxPacket = 1275 + 2      // octets of 20 ms (RFC 6716 section 3.4)
	pageTime  = 50            // packets in a page: what a crash may take
	// lookahead is by how much libopus' encoder delays speech, 6.5 ms: what players leave
	// out at the beginning (RFC 7845 section 5.1, "pre-skip").
	lookahead = 312
)

// quietPacket is 20 ms of silence, mono, as any decoder takes it.
var quietPacket = []byte{0xf8, 0xff, 0xfe}

// opus writes an Ogg file with Opus.
type opus struct {
	stream  oggStream
	encoder codec.Encoder
	samples int // of a frame that is written
	up      *resample.Resampler
	frames  uint64 // written
	pending int    // packets in the page to come
	pcm     [maxRate / 50]int16
	packet  [maxPacket]byte
}

func createOpus(f handle, codecs *codec.Registry, r store.Recording, segment, rate int) (*opus, error) {
	c, ok := codecs.Lookup("opus", opusRate)
	if !ok || c.NewEncoder == nil {
		return nil, ErrNoOpus
	}
	encoder, err := c.NewEncoder(c.Format)
	if err != nil {
		return nil, fmt.Errorf("begin to encode Opus: %w", err)
	}
	o := &opus{encoder: encoder, samples: rate / 50, stream: oggStream{file: f, serial: serial(r.ID, segment)}}
	if o.up, err = resample.New(rate, c.SampleRate); err == nil {
		err = o.heads(r, segment, rate)
	}
	if err != nil {
		o.free()
		return nil, err
	}
	return o, nil
}

// serial tells streams apart that somebody may chain.
func serial(id store.RecordingID, segment int) uint32 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d", id, segment)
	return h.Sum32()
}

// heads writes the two packets that a stream begins with, each in a page of its own (RFC
// 7845 sections 5.1 and 5.2).
func (o *opus) heads(r store.Recording, segment, rate int) error {
	h := append([]byte("OpusHead"), 1, 1) // version, channels
	h = binary.LittleEndian.AppendUint16(h, lookahead)
	h = binary.LittleEndian.AppendUint32(h, uint32(rate)) // of what was recorded
	h = append(h, 0, 0, 0)                                // gain, mapping family
	o.stream.put(h, 0)
	if err := o.stream.page(oggBegin); err != nil {
		return err
	}
	o.stream.put(tags("Conclave", "TITLE="+r.RoomName, "DATE="+r.StartedAt.Format("2006-01-02"),
		"RECORDING="+string(r.ID), fmt.Sprintf("SEGMENT=%d", segment)), 0)
	return o.stream.page(0)
}

func tags(vendor string, comments ...string) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	b := text([]byte("OpusTags"), vendor)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(comments)))
	for _, c := range comments {
		b = text(b, c)
	}
	return b
}

func (o *opus) write(pcm []int16) error {
	frame := o.pcm[:o.up.Process(o.pcm[:], pcm)]
	n, err := o.encoder.Encode(o.packet[:], frame)
	if err != nil {
		return fmt.Errorf("encode Opus: %w", err)
	}
	packet := o.packet[:n]
	if n == 0 {
		packet = quietPacket // the encoder leaves silence out
	}
	return o.put(packet)
}

func (o *opus) silence(frames uint64) error {
	for range frames {
		if err := o.put(quietPacket); err != nil {
			return err
		}
	}
	return nil
}

func (o *opus) put(packet []byte) error {
	if o.pending >= pageTime || !o.stream.fits(packet) {
		if err := o.turn(); err != nil {
			return err
		}
	}
	o.frames++
	o.pending++
	o.stream.put(packet, o.frames*opusFrame)
	return nil
}

func (o *opus) turn() error {
	o.pending = 0
	return o.stream.page(0)
}

func (o *opus) flush() error {
	if o.pending < pageTime {
		return nil
	}
	return o.turn()
}

func (o *opus) sync() error { return o.stream.file.Sync() }

// close writes one packet more, for what the encoder still has, and says where in it the
// audio ends (RFC 7845 section 4.4).
func (o *opus) close() error {
	defer o.free()
	audio := o.frames * opusFrame
	err := o.write(make([]int16, o.samples))
	if err == nil {
		o.stream.granule = audio + lookahead
		err = o.turn()
	}
	return errors.Join(err, o.stream.close(), o.stream.file.Sync(), o.stream.file.Close())
}

func (o *opus) free() {
	if c, ok := o.encoder.(codec.Closer); ok {
		c.Close()
	}
}

func (o *opus) size() int64 { return o.stream.end }
