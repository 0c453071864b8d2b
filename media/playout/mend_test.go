package playout

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// copying is a codec whose packets hold their audio and, behind it, that of the packet
// before.
type copying struct{}

func (copying) Decode(pcm []int16, payload []byte) (int, error) {
	return linear{}.Decode(pcm, payload[:len(payload)/2])
}

func (copying) Conceal([]int16) int { return 0 }

func (copying) Recover(pcm []int16, next []byte) int {
	n, _ := linear{}.Decode(pcm, next[len(next)/2:])
	return n
}

// afterTheEnd is how many frames are concealed when no packet comes any more.
const afterTheEnd = 3

// CD3: a packet that was lost is played from the copy in the next one: nothing is missing,
// whether or not frames begin where packets do.
func TestCopiesFillGaps(t *testing.T) {
	for _, perPacket := range []int{80, 160, 240} {
		b := New(Config{Decoder: copying{}, BitRate: 512000, MinDelay: 80 * time.Millisecond})
		signal := counting(16000)
		packets := stream(signal, perPacket, onTime)
		before := make([]byte, 2*perPacket)
		kept := packets[:0]
		for i, p := range packets {
			own := p.payload
			p.payload = append(append([]byte{}, own...), before...)
			before = own
			if i%7 != 5 {
				kept = append(kept, p)
			}
		}
		pcm, _, _ := play(b, kept, 1)
		if b.Stats().Recovered == 0 || b.Stats().Concealed > afterTheEnd {
			t.Errorf("%d samples a packet: %v recovered, %d frames concealed", perPacket, b.Stats().Recovered, b.Stats().Concealed)
		}
		if got := intact(pcm, len(signal)); got < 0.97 {
			t.Errorf("%d samples a packet: %.3f of the signal is intact", perPacket, got)
		}
	}
}

// CD3: the codec conceals in its own frames, here of 30 ms, where ours have 20 ms.
func TestCodecConcealsPackets(t *testing.T) {
	b := New(Config{Decoder: native{}, BitRate: 128000, MinDelay: 80 * time.Millisecond})
	made := 0
	var kept []packetAt
	for i, p := range stream(counting(24000), 240, onTime) {
		if i%10 != 9 {
			kept = append(kept, p)
		}
	}
	pcm, _, _ := play(b, kept, 1)
	for _, s := range pcm {
		if s == 7777 {
			made++
		}
	}
	if lost := 9 * 240; made < lost || made > lost+(afterTheEnd+1)*160 {
		t.Errorf("%d samples are of the codec, %d were lost", made, lost)
	}
}

// CD3: what Opus gains by its copies, through a jitter buffer. The figures are in
// docs/codecs.md.
func TestOpusThroughLoss(t *testing.T) {
	opus := codec.Opus(16000)
	if opus.Missing != nil {
		codectest.NeedLibrary(t, opus.Missing)
	}
	speech := codectest.Speech(t, "flite", "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a well.", "16000")
	for _, loss := range []float64{0.05, 0.1} {
		clean := throughOpus(t, opus, speech, 0, true)
		without := codectest.SegmentalSNR(clean, throughOpus(t, opus, speech, loss, false), 16000)
		with := codectest.SegmentalSNR(clean, throughOpus(t, opus, speech, loss, true), 16000)
		t.Logf("%.0f %% lost, against none lost: %.1f dB by concealment, %.1f dB with copies", 100*loss, without, with)
		if with < without+0.5 {
			t.Errorf("%.0f %% lost: copies gain %.1f dB", 100*loss, with-without)
		}
	}
}

// throughOpus is what is heard of speech where packets are lost at random, the same each
// time, with and without copies.
func throughOpus(t *testing.T, opus codec.Codec, speech []int16, loss float64, copies bool) (heard []int16) {
	t.Helper()
	f := opus.Agree("useinbandfec=1")
	encoder, err := opus.NewEncoder(f)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.(codec.Closer).Close()
	encoder.(codec.LossAdapter).SetLoss(0.1)
	decoder, err := opus.NewDecoder(f)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.(codec.Closer).Close()
	if !copies {
		decoder = struct {
			codec.Decoder
			codec.Concealer
		}{decoder, decoder.(codec.Concealer)}
	}
	b := New(Config{Decoder: decoder, ClockRate: 48000, SampleRate: 16000, MinDelay: 60 * time.Millisecond})
	random := rand.New(rand.NewPCG(3, 4))
	payload, frame := make([]byte, 500), make([]int16, 320)
	for i := range len(speech) / 320 {
		n, err := encoder.Encode(payload, speech[i*320:(i+1)*320])
		if err != nil {
			t.Fatal(err)
		}
		if random.Float64() >= loss || i < 10 {
			b.Push(uint16(i), uint32(i*960), payload[:n], time.Duration(i)*Frame)
		}
		b.Read(frame)
		heard = append(heard, frame...)
	}
	if loss == 0 && b.Stats().Concealed > 0 {
		t.Errorf("%d frames concealed where none was lost", b.Stats().Concealed)
	}
	return heard
}
