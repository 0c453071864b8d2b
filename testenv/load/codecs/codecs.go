package codecs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/testenv/ogg"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// Rate is that of all sound here, in samples a second. Tones of callers are within it.
const Rate = 8000

// Samples is how many samples a frame of 20 ms has at Rate.
const Samples = Rate / 50

// Codec is how audio is carried in RTP, 20 ms in a packet.
type Codec struct {
	Name        string // as in SDP
	PayloadType byte   // the static one (RFC 3551), or what we ask for
	Clock       int    // of RTP timestamps, a second
	Channels    int    // that SDP says; 0: it says none
	Coarse      bool   // it was made for one voice: it blurs several tones at once
	Octets      int    // of a frame; 0: they differ, and reach ffmpeg in Ogg

	format []string // what ffmpeg has to be told of coded sound that it reads
	encode []string // and of what it writes
}

// all are the codecs that load callers can have.
var all = []Codec{
	{Name: "PCMU", PayloadType: 0, Clock: 8000, Octets: 160, format: []string{"-f", "mulaw", "-ar", "8000"}, encode: []string{"-f", "mulaw"}},
	{Name: "PCMA", PayloadType: 8, Clock: 8000, Octets: 160, format: []string{"-f", "alaw", "-ar", "8000"}, encode: []string{"-f", "alaw"}},
	{Name: "G722", PayloadType: 9, Clock: 8000, Octets: 160, format: []string{"-f", "g722"}, encode: []string{"-ar", "16000", "-f", "g722"}},
	{Name: "GSM", PayloadType: 3, Clock: 8000, Octets: 33, Coarse: true, format: []string{"-f", "gsm"}, encode: []string{"-c:a", "libgsm", "-f", "gsm"}},
	{Name: "opus", PayloadType: 111, Clock: 48000, Channels: 2, format: []string{"-f", "ogg"},
		encode: []string{"-c:a", "libopus", "-ar", "48000", "-b:a", "32k", "-frame_duration", "20", "-f", "ogg"}},
}

// Find returns the codec of a name, in any case.
func Find(name string) (Codec, error) {
	var names []string
	for _, c := range all {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Codec{}, fmt.Errorf("codec %q: load callers have %s", name, strings.Join(names, ", "))
}

// Step is how much RTP timestamps grow by in a frame.
func (c Codec) Step() uint32 { return uint32(c.Clock / 50) }

// Map is the value of SDP's rtpmap without the payload type.
func (c Codec) Map() string {
	text := fmt.Sprintf("%s/%d", c.Name, c.Clock)
	if c.Channels > 0 {
		text += "/" + strconv.Itoa(c.Channels)
	}
	return text
}

// Loop returns the frames of one second that may be played again and again: sound must
// have a period of a second. A codec with memory has got used to it before.
func (c Codec) Loop(ctx context.Context, sound tone.Sound) ([][]byte, error) {
	const perSecond = int(time.Second / (20 * time.Millisecond))
	frames, err := c.Encode(ctx, tone.Join(sound, sound, sound))
	if err != nil {
		return nil, err
	}
	if len(frames) < 2*perSecond {
		return nil, fmt.Errorf("encode %s: ffmpeg made %d frames of %v", c.Name, len(frames), 3*sound.Duration())
	}
	return frames[perSecond : 2*perSecond], nil
}

// Encode returns sound of [Rate] in frames of 20 ms.
func (c Codec) Encode(ctx context.Context, sound tone.Sound) ([][]byte, error) {
	raw, _ := binary.Append(nil, binary.LittleEndian, sound.Samples) // a slice of numbers does not fail
	coded, err := ffmpeg(ctx, raw, linear, c.encode)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.Name, err)
	}
	if c.Octets == 0 {
		return ogg.Packets(coded), nil
	}
	var frames [][]byte
	for ; len(coded) >= c.Octets; coded = coded[c.Octets:] {
		frames = append(frames, coded[:c.Octets])
	}
	return frames, nil
}

// Decode returns the sound of frames that follow one another, at [Rate].
func (c Codec) Decode(ctx context.Context, frames [][]byte) (tone.Sound, error) {
	sound := tone.Sound{Rate: Rate}
	raw, err := ffmpeg(ctx, c.File(frames), c.format, linear)
	if err != nil {
		return sound, fmt.Errorf("decode %s: %w", c.Name, err)
	}
	sound.Samples = make([]int16, len(raw)/2)
	_, err = binary.Decode(raw, binary.LittleEndian, sound.Samples)
	return sound, err
}

// File is frames that follow one another as a file that ffmpeg reads.
func (c Codec) File(frames [][]byte) []byte {
	if c.Octets == 0 {
		return ogg.Stream(ogg.OpusHeaders(48000), frames, 960) // 20 ms of its clock
	}
	return bytes.Join(frames, nil)
}

// linear is sound as it is here.
var linear = []string{"-f", "s16le", "-ar", strconv.Itoa(Rate), "-ac", "1"}

// ffmpeg makes sound of one form into another.
func ffmpeg(ctx context.Context, input []byte, from, to []string) ([]byte, error) {
	args := append([]string{"-nostdin", "-v", "error", "-threads", "1"}, from...)
	args = append(append(append(args, "-i", "pipe:0"), to...), "-ac", "1", "pipe:1")
	cmd := exec.CommandContext(ctx, "ffmpeg", args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run ffmpeg, which load callers encode and decode with (apt-get install ffmpeg): %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return out.Bytes(), nil
}
