package acceptance

import (
	"context"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tone/speech"
)

// awaitMusic waits until a phone hears the music, at whatever place of it, or no more.
func awaitMusic(t *testing.T, ctx context.Context, w words, p *baresip.Phone, want bool) {
	t.Helper()
	const span = 2 * time.Second
	clip := w.library.Music(prompt.Narrowband)
	once := tone.Sound{Rate: clip.Rate, Samples: clip.PCM}
	looped := tone.Join(once, once.Between(0, span))
	await(t, ctx, p.Name()+" hears music", func() (float64, bool) {
		heard, err := p.Heard()
		must(t, err)
		_, likeness := tone.Find(looped, heard.Between(heard.Duration()-span, heard.Duration()))
		return likeness, want == (likeness >= tone.Alike)
	})
}

// CF7: the first is told so and hears music while alone; each who joins is told how
// many there are; those who are in hear a tone at each coming and going.
func TestEntrySounds(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	first, second, third := silent(t, "first"), silent(t, "second"), silent(t, "third")
	dialIn(t, ctx, n, first, guestCode)
	w.hears(ctx, first, prompt.FirstIn)
	awaitMusic(t, ctx, w, first, true)
	dialIn(t, ctx, n, second, guestCode)
	w.hears(ctx, first, prompt.ToneJoin)
	w.hears(ctx, second, prompt.OneOther)
	awaitMusic(t, ctx, w, first, false)
	dialIn(t, ctx, n, third, guestCode)
	w.hears(ctx, third, prompt.ThereAre, prompt.Number3, prompt.ParticipantsIn)
	w.heard(second, false, prompt.FirstIn, prompt.ToneLeave)
	must(t, third.Hangup(ctx))
	w.hears(ctx, second, prompt.ToneLeave)
	must(t, second.Hangup(ctx))
	awaitMusic(t, ctx, w, first, true)
}

// CF7: who joins says a name, which the others hear when it comes and when it goes.
// One who says nothing is announced by the tone.
func TestRecordedNames(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	n, w := startNode(t, ctx), loadWords(t)
	addRoom(t, ctx, n, "Names", "555111", "555222", "--entry-sound", "name", "--exit-sound", "name", "--music=false")
	listener := silent(t, "listener")
	dialIn(t, ctx, n, listener, "555111#")
	w.hears(ctx, listener, prompt.SayName)
	must(t, listener.HearsSaid(ctx, w.sound(prompt.ToneBeep)))
	must(t, listener.SendDigits(ctx, "#"))
	joined(t, ctx, n, 1)
	w.hears(ctx, listener, prompt.FirstIn)

	name := speech.Say(t, 8000, "Robert Miller from Springfield")
	ask := w.sound(prompt.SayName, prompt.ToneBeep).Duration()
	speech := pcap.New(pcap.PCMU).Silence(time.Second).Keys("555111#").Silence(ask + time.Second).
		Sound(name).Silence(500 * time.Millisecond).Keys("#").Silence(8 * time.Second)
	robert := sipp.Start(t, sipp.Caller{Target: n.SIP(), Number: number, From: "robert", Steps: []sipp.Step{sipp.Play(speech)}})
	joined(t, ctx, n, 2)
	must(t, listener.HearsSaid(ctx, name))
	w.hears(ctx, listener, prompt.HasJoined)
	result, err := robert.Wait(ctx)
	if err != nil || result.Successful != 1 {
		t.Fatalf("%v %v", err, result)
	}
	must(t, listener.HearsSaid(ctx, name))
	w.hears(ctx, listener, prompt.HasLeft)
	w.heard(listener, false, prompt.ToneJoin, prompt.ToneLeave)

	mute := silent(t, "mute")
	dialIn(t, ctx, n, mute, "555111#")
	w.hears(ctx, mute, prompt.OneOther)
	w.hears(ctx, listener, prompt.ToneJoin)
}
