package mixer

import (
	"time"

	"github.com/conclave-voice/conclave/media/playout"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/media/voice"
)

// take receives one frame: from the network, through the tone filter, into in. Where
// nobody has a use for it, it is not decoded.
func (p *Port) take(now time.Duration, by *session.Traffic, scratch []int16, autoGain bool) {
	by.Receive(p.media, now)
	for d, ok := p.media.Digit(); ok; d, ok = p.media.Digit() {
		p.tones.keyed()
		p.emit(Event{Kind: EventDigit, Digit: d})
	}
	inBand := p.media.InBand()
	p.input.may = p.mode.Speaks
	// Who was muted in the middle of a word is heard for one frame more, fading out.
	fading := p.input.gain != 0
	if !p.input.may && !fading && p.capture.left == 0 && !inBand && !p.tones.watching() {
		p.rate = p.media.Skip() * 50
		return
	}
	n, status := p.media.Read(scratch)
	p.rate = n * 50
	if n == 0 {
		p.input.may = false
		return
	}
	frame := scratch[:n]
	if d, ok := p.tones.process(frame, p.rate, inBand); ok {
		p.emit(Event{Kind: EventDigit, Digit: d, InBand: true})
	}
	if p.capture.left > 0 && p.capture.add(frame, p.rate) {
		p.endCapture()
	}
	if p.input.may || fading {
		p.in = resized(p.in, n)
		copy(p.in, frame)
	}
	if p.input.may {
		p.input.listen(frame, p.rate, status, autoGain)
		p.input.aim = int(float32(p.input.aim) * float32(p.speak) / unity)
	}
}

// listen finds out whether there is voice, and how loud it should be.
func (in *input) listen(frame []int16, rate int, status playout.Status, autoGain bool) {
	in.aim = unity
	if in.rate != rate {
		in.detector, _ = voice.NewDetector(rate) // nil for a rate that it does not know
		in.rate = rate
	}
	switch {
	case in.detector == nil:
		in.activity = voice.Activity{Sound: true, Voice: true}
		return
	case status == playout.Silence:
		in.activity = in.detector.Silence()
	default:
		in.activity = in.detector.Process(frame)
	}
	if autoGain {
		in.aim = int(in.auto.Next(in.activity, in.detector.Noise()) * unity)
	}
}

// join brings in to the mix's rate and volume, as own. It says whether the port is in
// the mix in this tick.
func (p *Port) join(rate int, tick uint64, scratch []int16) bool {
	in := &p.input
	to := 0
	if in.may && p.turn.placed {
		to = in.aim
	}
	in.mixed = (to != 0 || in.gain != 0) && len(p.in) > 0 && p.rate > 0
	if !in.mixed {
		in.gain = 0
		return false
	}
	frame := p.in[:p.rate/50]
	if p.rate != rate {
		scratch = scratch[:rate/50]
		in.up.run(scratch, frame, p.rate, rate, tick)
		frame = scratch
	}
	in.own = resized(in.own, len(frame))
	in.peak = fade(in.gain, to, rate).scale(in.own, frame)
	in.gain = to
	return true
}
