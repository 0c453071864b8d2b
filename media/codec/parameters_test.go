package codec

import (
	"testing"
	"time"
)

// CD1: what two ends make of the parameters of each.
func TestAgree(t *testing.T) {
	opus := Format{Name: "opus", ClockRate: 48000, SampleRate: 48000, Channels: 2, Fmtp: "stereo=0"}
	ilbc := Format{Name: "iLBC", ClockRate: 8000, SampleRate: 8000, Channels: 1, FrameTime: 20 * time.Millisecond, Fmtp: "mode=20"}
	g729 := Format{Name: "G729", ClockRate: 8000, SampleRate: 8000, Channels: 1}
	for _, c := range []struct {
		ours  Format
		peer  string
		rate  int
		frame time.Duration
		fmtp  string
	}{
		{ilbc, "", 8000, 30 * time.Millisecond, "mode=30"},
		{ilbc, "mode=20", 8000, 20 * time.Millisecond, "mode=20"},
		{ilbc, " MODE = 20 ", 8000, 20 * time.Millisecond, "mode=20"},
		{ilbc, "mode=25", 8000, 30 * time.Millisecond, "mode=30"},
		{g729, "annexb=no", 8000, DefaultFrameTime, "annexb=no"},
		{g729, "annexb=yes", 8000, DefaultFrameTime, ""},
		{opus, "", 48000, DefaultFrameTime, "stereo=0"},
		{opus, "useinbandfec=1; maxplaybackrate=16000", 16000, DefaultFrameTime, "stereo=0;maxplaybackrate=16000"},
		{opus, "maxplaybackrate=8000", 8000, DefaultFrameTime, "stereo=0;maxplaybackrate=8000"},
		{opus, "maxplaybackrate=24000", 48000, DefaultFrameTime, "stereo=0"},
		{opus, "maxplaybackrate=loud", 48000, DefaultFrameTime, "stereo=0"},
	} {
		got := c.ours.Agree(c.peer)
		if got.SampleRate != c.rate || got.Frame() != c.frame || got.Fmtp != c.fmtp || got.Peer != c.peer {
			t.Errorf("%s with %q: %+v", c.ours.Name, c.peer, got)
		}
		if again := got.Agree(c.peer); again != got {
			t.Errorf("%s with %q: %+v, and then %+v", c.ours.Name, c.peer, got, again)
		}
	}
}
