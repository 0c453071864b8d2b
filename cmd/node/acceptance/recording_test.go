package acceptance

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// recorded is what `node recordings show` tells.
type recorded struct {
	ID        string
	Format    string
	Reason    string
	StoppedAt time.Time
	Segments  []struct {
		Number        int
		Node          struct{ Node string }
		EndedAt       time.Time
		LengthSeconds float64
		Gaps          int
		Reason        string
		Tracks        []string
	}
}

// recordings shows those that a node knows of, in order.
func recordings(t *testing.T, ctx context.Context, n *node.Node) (list []recorded) {
	t.Helper()
	must(t, n.Read(ctx, &list, "recordings", "list"))
	for i := range list {
		must(t, n.Read(ctx, &list[i], "recordings", "show", list[i].ID))
	}
	return list
}

// finished waits until a recording has ended, with so many segments, all of them whole.
func finished(t *testing.T, ctx context.Context, n *node.Node, nth, segments int) recorded {
	t.Helper()
	return await(t, ctx, "the recording is finished", func() (recorded, bool) {
		list := recordings(t, ctx, n)
		if len(list) <= nth {
			return recorded{}, false
		}
		r := list[nth]
		whole := !r.StoppedAt.IsZero() && len(r.Segments) == segments
		for _, s := range r.Segments {
			whole = whole && !s.EndedAt.IsZero()
		}
		return r, whole
	})
}

// download has a node give the files of a recording, and reads them: the mixes by segment,
// and the tracks.
func download(t *testing.T, ctx context.Context, n *node.Node, r recorded) (mixes []tone.Sound, tracks map[string]tone.Sound) {
	t.Helper()
	dir := t.TempDir()
	command(t, ctx, n, "recordings", "download", r.ID, "--tracks", "--dir", dir)
	tracks = map[string]tone.Sound{}
	for _, s := range r.Segments {
		name := filepath.Join(dir, fmt.Sprintf("%s-%03d", r.ID, s.Number))
		sound, err := tone.ReadWAV(name + ".wav")
		must(t, err)
		mixes = append(mixes, sound)
		for _, track := range s.Tracks {
			sound, err := tone.ReadWAV(name + "-" + track + ".wav")
			must(t, err)
			tracks[track] = sound
		}
	}
	return mixes, tracks
}

// has says whether a caller's tone is in a sound for half a second at least.
func has(s tone.Sound, caller int) bool {
	share := tone.Share(s.Samples, s.Rate, 0, s.Duration(), tone.Caller(caller))
	return share*s.Duration().Seconds() >= 0.5
}

// CF10: a moderator's key has the conference recorded and ends it; all are told, who comes
// later too. What is downloaded has everybody's tone in the mix, and each one's alone in
// its own track.
func TestRecording(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	command(t, ctx, n, "rooms", "edit", "Demo room", "--record-tracks")
	host, one, two := silent(t, "host"), phone(t, 1, baresip.Options{}), phone(t, 2, baresip.Options{InfoDigits: true})
	dialIn(t, ctx, n, host, hostCode)
	dialIn(t, ctx, n, one, guestCode)
	joined(t, ctx, n, 2)
	must(t, host.Hears(ctx, tone.Caller(1), time.Second))
	must(t, host.SendDigits(ctx, "**"))
	for _, p := range []*baresip.Phone{host, one} {
		w.hears(ctx, p, prompt.RecordingStarted)
	}
	dialIn(t, ctx, n, two, guestCode)
	w.hears(ctx, two, prompt.IsRecorded)
	must(t, two.Hears(ctx, tone.Caller(1), time.Second))
	must(t, host.Hears(ctx, tone.Caller(2), 2*time.Second))
	must(t, two.SendDigits(ctx, "**")) // a guest: nothing
	must(t, n.AwaitMetric(ctx, "conclave_recordings", nil, func(v float64) bool { return v == 1 }))
	must(t, host.SendDigits(ctx, "**"))
	w.hears(ctx, one, prompt.RecordingStopped)
	r := finished(t, ctx, n, 0, 1)
	if r.Reason != "stopped" || r.Segments[0].Reason != "stopped" || r.Segments[0].Gaps != 0 {
		t.Errorf("%+v", r)
	}
	mixes, tracks := download(t, ctx, n, r)
	mix := mixes[0]
	if length := mix.Duration().Seconds(); length < 3 || length-r.Segments[0].LengthSeconds > 0.01 {
		t.Errorf("%v s of %v", length, r.Segments[0].LengthSeconds)
	}
	if !has(mix, 1) || !has(mix, 2) {
		t.Errorf("in the mix is caller 1: %v, caller 2: %v", has(mix, 1), has(mix, 2))
	}
	if _, likeness := tone.Find(mix, w.sound(prompt.RecordingStarted)); likeness < tone.Alike {
		t.Errorf("the announcement is not in the mix: %v", likeness)
	}
	var alone []int
	for id, s := range tracks {
		switch {
		case has(s, 1) && !has(s, 2):
			alone = append(alone, 1)
		case has(s, 2) && !has(s, 1):
			alone = append(alone, 2)
		case has(s, 1) && has(s, 2):
			t.Errorf("the track of %s has both tones", id)
		}
		if s.Duration() != mix.Duration() {
			t.Errorf("a track lasts %v, the mix %v", s.Duration(), mix.Duration())
		}
	}
	if slices.Sort(alone); !slices.Equal(alone, []int{1, 2}) {
		t.Errorf("own tracks have the callers %v", alone)
	}

	format := "ogg"
	if out, err := n.Command(ctx, "recordings", "start", "Demo room", "--format", format); err != nil {
		if !strings.Contains(err.Error()+out, "apt-get install libopus0") {
			t.Errorf("without Opus: %v\n%s", err, out)
		}
		format = "wav"
		command(t, ctx, n, "recordings", "start", "Demo room", "--format", format)
	}
	w.hears(ctx, two, prompt.RecordingStarted)
	must(t, host.SendDigits(ctx, "##"))
	if r := finished(t, ctx, n, 1, 1); r.Reason != "ended" || r.Format != format || r.Segments[0].LengthSeconds < 1 {
		t.Errorf("%+v", r)
	}
	awaitEvents(t, ctx, n, "recording-started", "recording-stopped", "recording-started", "recording-stopped")
	command(t, ctx, n, "recordings", "remove", r.ID)
	if list := recordings(t, ctx, n); len(list) != 1 || list[0].ID == r.ID {
		t.Errorf("%+v", list)
	}
}

// CF10: the disk for recordings gets full, and the recording ends; the callers are told and
// go on talking.
func TestRecordingDiskFull(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=192k"); err != nil {
		t.Skip("needs root, for a small file system: ", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	n, w := startRun(t, ctx, "--recordings", disk, "--recording-min-free", "0"), loadWords(t)
	addRoom(t, ctx, n, "Sales", "123456", "987654", "--record", "always")
	one, two := phone(t, 1, baresip.Options{}), phone(t, 2, baresip.Options{})
	dialIn(t, ctx, n, one, guestCode)
	dialIn(t, ctx, n, two, guestCode)
	w.hears(ctx, two, prompt.RecordingStopped)
	r := finished(t, ctx, n, 0, 1)
	if r.Reason != "disk-full" || r.Segments[0].Reason != "disk-full" {
		t.Errorf("%+v", r)
	}
	must(t, one.Hears(ctx, tone.Caller(2), time.Second))
	must(t, two.Hears(ctx, tone.Caller(1), time.Second))
	mixes, _ := download(t, ctx, n, r)
	if !has(mixes[0], 1) || mixes[0].Duration() < 5*time.Second {
		t.Errorf("%v, with caller 1: %v", mixes[0].Duration(), has(mixes[0], 1))
	}
	awaitEvents(t, ctx, n, "recording-started", "recording-failed")
	must(t, n.AwaitMetric(ctx, "conclave_recording_failures_total", nil, func(v float64) bool { return v == 1 }))
	must(t, n.Stop(ctx))
}

// CF10, MS8: the node of a conference that is recorded is killed. The recording goes on
// where the conference does, and when the node is back both parts are had from any node.
func TestRecordingGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	ctx := within(t, 300*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2", "a3"}, []string{"b1"})
	far := c.call(0, "b1")
	first := await(t, ctx, "the conference is open", func() (conference, bool) {
		list := c.open("b1")
		return append(list, conference{})[0], len(list) == 1
	})
	others := slices.DeleteFunc([]string{"a1", "a2", "a3"}, func(n string) bool { return n == first.Focus.Node })
	near := c.call(1, others[0])
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	command(t, ctx, c.nodes["b1"], "recordings", "start", "Weekly")
	must(t, far.Hears(ctx, tone.Caller(1), 3*time.Second))

	c.nodes[first.Focus.Node].Kill9()
	await(t, ctx, "another segment is being written", func() ([]recorded, bool) {
		list := recordings(t, ctx, c.nodes["b1"])
		return list, len(list) == 1 && len(list[0].Segments) == 2
	})
	must(t, far.Hears(ctx, tone.Caller(1), 3*time.Second))
	must(t, near.Hears(ctx, tone.Caller(0), time.Second))
	command(t, ctx, c.nodes[others[1]], "recordings", "stop", "Weekly")
	if out, err := c.nodes["b1"].Command(ctx, "recordings", "download", recordings(t, ctx, c.nodes["b1"])[0].ID, "--dir", t.TempDir()); err == nil || !strings.Contains(err.Error()+out, "reached") {
		t.Errorf("the files of a node that is off: %v\n%s", err, out)
	}
	must(t, c.nodes[first.Focus.Node].StartAgain())
	r := finished(t, ctx, c.nodes["b1"], 0, 2)
	if r.Reason != "stopped" || r.Segments[0].Reason != "node-failure" || r.Segments[0].Node.Node != first.Focus.Node || r.Segments[1].Node.Node == first.Focus.Node {
		t.Errorf("%+v", r)
	}
	for _, by := range []string{"b1", first.Focus.Node, others[1]} {
		mixes, _ := download(t, ctx, c.nodes[by], r)
		for i, mix := range mixes {
			if !has(mix, 0) || !has(mix, 1) {
				t.Errorf("by %s: segment %d, %v, has caller 0: %v, caller 1: %v", by, i+1, mix.Duration(), has(mix, 0), has(mix, 1))
			}
		}
	}
	for _, p := range []*baresip.Phone{far, near} {
		must(t, p.Hangup(ctx))
	}
}
