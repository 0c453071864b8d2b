package recording

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// studio is a recorder with a folder and a clock that the test moves. The test is the tick.
type studio struct {
	t        *testing.T
	config   Config
	recorder *Recorder
	clock    *clockwork.FakeClock
	stop     func() error
}

func newStudio(t *testing.T, change func(*Config)) *studio {
	t.Helper()
	s := &studio{t: t, clock: clockwork.NewFakeClockAt(t0)}
	s.config = Config{Dir: t.TempDir(), Place: store.Place{Site: "a", Node: "n"}, Incarnation: 7, Codecs: codec.All(mixer.MaxRate, false), Clock: s.clock, Logger: hclog.NewNullLogger()}
	if change != nil {
		change(&s.config)
	}
	var err error
	if s.recorder, err = New(s.config); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.recorder.Run(ctx) }()
	s.stop = sync.OnceValue(func() error { stop(); return <-done })
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := s.clock.BlockUntilContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return s
}

// take is a segment that is being written.
type take struct {
	*Segment
	t      *testing.T
	ended  chan store.RecordingSegment
	folder string
	ticks  int
}

func (s *studio) begin(format store.RecordingFormat, tracks bool) *take {
	ended := make(chan store.RecordingSegment, 2)
	r := store.Recording{ID: store.NewRecordingID(), CustomerID: "c", RoomID: "r", ConferenceID: "conf", RoomName: "Söhne & co", Format: format, Tracks: tracks, StartedAt: t0}
	seg := s.recorder.Start(Spec{Recording: r, Number: 1, Conference: "conf", Ended: func(s store.RecordingSegment) { ended <- s }})
	return &take{Segment: seg, t: s.t, ended: ended, folder: filepath.Join(s.config.Dir, seg.Row().Path)}
}

// sine is one frame of a tone.
func sine(rate, tick int, frequency float64) []int16 {
	pcm := make([]int16, rate/50)
	for i := range pcm {
		pcm[i] = int16(4000 * math.Sin(2*math.Pi*frequency*float64(tick*len(pcm)+i)/float64(rate)))
	}
	return pcm
}

// play gives frames: the mix has the tones of all voices. It waits for the writer, as a
// tick does not.
func (k *take) play(ticks, rate int, voices map[*mixer.Port]float64) {
	k.t.Helper()
	for range ticks {
		mix := make([]int16, rate/50)
		for p, f := range voices {
			pcm := sine(rate, k.ticks, f)
			k.Voice(p, rate, pcm)
			for i, v := range pcm {
				mix[i] += v
			}
		}
		k.Frame(rate, mix)
		k.ticks++
		if k.ticks%25 == 0 {
			k.written()
		}
	}
}

// written waits until the ring is empty, or the segment has ended.
func (k *take) written() {
	k.t.Helper()
	eventually(k.t, "the ring is empty", func() bool {
		select {
		case k.wake <- struct{}{}:
		default:
		}
		return k.ring.in.Load() == k.ring.out.Load() || len(k.ended) > 0
	})
}

func eventually(t *testing.T, what string, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !come(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

func (k *take) end(why store.RecordingEnd) store.RecordingSegment {
	k.t.Helper()
	k.Stop(why)
	return k.over()
}

func (k *take) over() store.RecordingSegment {
	k.t.Helper()
	select {
	case row := <-k.ended:
		return row
	case <-time.After(30 * time.Second):
		k.t.Fatal("the segment has not ended")
		panic("unreachable")
	}
}

func port(t *testing.T) *mixer.Port {
	t.Helper()
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), 36000, 36999)
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Open(ports, codec.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return mixer.NewPort(s, nil)
}

// probe is what ffprobe says of a file.
func probe(t *testing.T, file string) (format, codec string, rate int, d time.Duration) {
	t.Helper()
	out := tool(t, "ffprobe", "-v", "error", "-of", "default=nk=1:nw=1", "-show_entries", "format=format_name,duration:stream=codec_name,sample_rate", file)
	f := strings.Fields(out)
	if len(f) != 4 {
		t.Fatalf("ffprobe of %s: %q", file, out)
	}
	rate, err := strconv.Atoi(f[1])
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(f[3], 64)
	if err != nil {
		t.Fatal(err)
	}
	return f[2], f[0], rate, time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

// samples are those of a file, as sox reads it.
func samples(t *testing.T, file string) []int16 {
	t.Helper()
	raw := tool(t, "sox", file, "-t", "raw", "-e", "signed", "-b", "16", "-L", "-")
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(uint16(raw[2*i]) | uint16(raw[2*i+1])<<8)
	}
	return pcm
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	codectest.Need(t, name, "apt-get install ffmpeg sox")
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}

// level is the amplitude of a tone.
func level(pcm []int16, rate int, frequency float64) float64 {
	var re, im float64
	for i, v := range pcm {
		at := 2 * math.Pi * frequency * float64(i) / float64(rate)
		re += float64(v) * math.Cos(at)
		im += float64(v) * math.Sin(at)
	}
	return 2 * math.Hypot(re, im) / float64(len(pcm))
}

// has checks which of the tones are in audio.
func has(t *testing.T, what string, pcm []int16, rate int, tones map[float64]bool) {
	t.Helper()
	for f, want := range tones {
		if l := level(pcm, rate, f); want && math.Abs(l-4000) > 200 || !want && l > 40 {
			t.Errorf("%s has %v Hz at %.0f, wanted: %v", what, f, l, want)
		}
	}
}

// CF10: the mix has everybody's tone, each track that of its own participant alone; all
// files have one length and play in other programs.
func TestMixAndTracks(t *testing.T) {
	s := newStudio(t, nil)
	a, b := port(t), port(t)
	k := s.begin(store.FormatWAV, true)
	k.Track(a, "ann")
	k.Track(b, "bob")
	k.play(50, 8000, map[*mixer.Port]float64{a: 400})
	k.play(100, 8000, map[*mixer.Port]float64{a: 400, b: 1100})
	again := port(t) // ann returns by another call
	k.Track(again, "ann")
	k.play(50, 8000, map[*mixer.Port]float64{again: 400})
	k.play(50, 8000, nil)
	row := k.end(store.RecordingStopped)
	if row.Reason != store.RecordingStopped || row.Length != 5*time.Second || row.Gaps != 0 || row.Octets != 3*(wavHead+5*16000) || fmt.Sprint(row.Tracks) != "[ann bob]" {
		t.Errorf("%+v", row)
	}
	for name, tones := range map[string][4]map[float64]bool{
		"mix": {{400: true, 1100: false}, {400: true, 1100: true}, {400: true, 1100: false}, {400: false, 1100: false}},
		"ann": {{400: true, 1100: false}, {400: true, 1100: false}, {400: true, 1100: false}, {400: false, 1100: false}},
		"bob": {{400: false, 1100: false}, {400: false, 1100: true}, {400: false, 1100: false}, {400: false, 1100: false}},
	} {
		file := filepath.Join(k.folder, name+".wav")
		if format, codec, rate, d := probe(t, file); format != "wav" || codec != "pcm_s16le" || rate != 8000 || d != 5*time.Second {
			t.Errorf("%s: %s, %s, %d Hz, %v", name, format, codec, rate, d)
		}
		pcm := samples(t, file)
		for i, span := range [4][2]int{{0, 1}, {1, 3}, {3, 4}, {4, 5}} {
			has(t, fmt.Sprintf("%s from %d s", name, span[0]), pcm[span[0]*8000:span[1]*8000], 8000, tones[i])
		}
	}
	if st := s.recorder.Stats(); st.Octets != row.Octets || st.Failures != 0 {
		t.Errorf("%+v", st)
	}
}

// CF10, CD2: a mix that changes its rate stays in the file's.
func TestRateChanges(t *testing.T) {
	s := newStudio(t, nil)
	p := port(t)
	k := s.begin(store.FormatWAV, false)
	for _, rate := range []int{16000, 8000, 48000} {
		k.play(50, rate, map[*mixer.Port]float64{p: 700})
	}
	k.end(store.RecordingEnded)
	file := filepath.Join(k.folder, "mix.wav")
	if _, _, rate, d := probe(t, file); rate != 16000 || d != 3*time.Second {
		t.Errorf("%d Hz, %v", rate, d)
	}
	pcm := samples(t, file)
	for i := range 3 {
		has(t, fmt.Sprint("second ", i), pcm[i*16000+1000:i*16000+15000], 16000, map[float64]bool{700: true})
	}
}

// What is being written when the node stops is finished.
func TestStopOfTheNode(t *testing.T) {
	s := newStudio(t, nil)
	k := s.begin(store.FormatWAV, false)
	k.play(60, 8000, nil)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if row := k.over(); row.Reason != store.RecordingEnded || row.Length != 1200*time.Millisecond {
		t.Errorf("%+v", row)
	}
}

// CF10: a segment is long before a WAV file has all that fits into it.
func TestLong(t *testing.T) {
	s := newStudio(t, nil)
	k := s.begin(store.FormatWAV, false)
	long := uint64(MaxLength / engine.FrameTime)
	for ticks, want := range map[uint64]bool{long - 1: false, long: true} {
		if k.Segment.ticks.Store(ticks); k.Long() != want {
			t.Errorf("after %d ticks it is long: %v", ticks, k.Long())
		}
	}
	if octets := int64(long) * maxRate / 50 * 2; octets > math.MaxUint32-wavHead {
		t.Errorf("%d octets do not fit into a WAV file", octets)
	}
	k.Segment.ticks.Store(0)
	k.end(store.RecordingStopped)
}
