package codec

import (
	"errors"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/media/codec/native"
	"github.com/conclave-voice/conclave/media/codec/opus"
	"github.com/conclave-voice/conclave/media/codec/speex"
)

// CD1, CD2: the codecs of libraries are listed, work where their library is, and say what to
// install where it is not.
func TestAll(t *testing.T) {
	want := map[string]bool{"opus": true, "speex": true, "G729": true, "G723": true}
	for _, s := range All(48000, false).Status() {
		delete(want, s.Name)
		switch {
		case s.Available:
		case errors.Is(s.Reason, native.ErrMissing) && strings.Contains(s.Reason.Error(), "install"):
			codectest.NeedLibrary(t, s.Reason)
		case !errors.Is(s.Reason, native.ErrLeftOut):
			t.Errorf("%s/%d: %v", s.Name, s.ClockRate, s.Reason)
		}
	}
	if len(want) > 0 {
		t.Errorf("%v are not listed", want)
	}
}

// What the peer says in its a=fmtp is what it is sent.
func TestEncodingFollowsThePeer(t *testing.T) {
	for peer, want := range map[string]opus.EncoderConfig{
		"":               {SampleRate: 48000},
		"useinbandfec=1": {SampleRate: 48000, FEC: true},
		"maxplaybackrate=16000; maxaveragebitrate=20000; cbr=1; usedtx=1; useinbandfec=0": {SampleRate: 16000, MaxPlayback: 16000, MaxBitrate: 20000, Constant: true, Silence: true},
		"maxplaybackrate=24000": {SampleRate: 48000, MaxPlayback: 24000},
	} {
		if got := opusEncoding(Opus(48000).Agree(peer)); got != want {
			t.Errorf("Opus, %q: %+v, want %+v", peer, got, want)
		}
	}
	for _, c := range []struct {
		rate int
		peer string
		want speex.EncoderConfig
	}{
		{8000, "", speex.EncoderConfig{SampleRate: 8000, Mode: 3}},
		{16000, "", speex.EncoderConfig{SampleRate: 16000, Quality: 8}},
		{8000, `mode="9,3,any"`, speex.EncoderConfig{SampleRate: 8000, Mode: 3}},
		{8000, "mode=any", speex.EncoderConfig{SampleRate: 8000}},
		{16000, `mode="0,7";vbr=on`, speex.EncoderConfig{SampleRate: 16000, Quality: 7}},
	} {
		if got := speexEncoding(Format{SampleRate: c.rate, Peer: c.peer}); got != c.want {
			t.Errorf("Speex at %d Hz, %q: %+v, want %+v", c.rate, c.peer, got, c.want)
		}
	}
}

// Opus has what only some codecs have, behind the interfaces of this package.
func TestOpusIsMore(t *testing.T) {
	c := Opus(16000)
	if c.Missing != nil {
		codectest.NeedLibrary(t, c.Missing)
	}
	encoder, decoder, pcm, payload := stream(t, c)
	second, _, _, _ := stream(t, c)
	defer release(encoder)
	defer release(second)
	defer release(decoder)
	encoder.(LossAdapter).SetLoss(0.2)
	n, err := encoder.Encode(payload, pcm)
	if err != nil {
		t.Fatal(err)
	}
	if !second.(StateCopier).CopyState(encoder) || second.(StateCopier).CopyState(encoderOf(t, PCMU())) {
		t.Error("state is copied between encoders of Opus, and no others")
	}
	if got := decoder.(Recoverer).Recover(pcm, payload[:n]); got != len(pcm) {
		t.Errorf("%d samples recovered", got)
	}
}

func encoderOf(t *testing.T, c Codec) Encoder {
	t.Helper()
	encoder, _, _, _ := stream(t, c)
	return encoder
}
