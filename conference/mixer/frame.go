package mixer

import (
	"github.com/conclave-voice/conclave/media/resample"
)

// duck is how far the mix is turned down under a sound of one's own: 12 dB.
const duck volume = 64

// maxShared is how many encodings of one frame are kept for sharing in a tick;
// codecs without memory are few.
const maxShared = 4

// frame is 20 ms that several listeners hear alike, at the rate of the mix and
// at 8 kHz, with the encodings that were made of it this tick.
type frame struct {
	pcm    [maxFrame]int16
	rate   int
	narrow [maxFrame / 2]int16
	down   *resample.Resampler // 16 to 8 kHz; runs only while the mix is wideband
	made   bool                // narrow is of this tick
	shared [maxShared]encoded
	held   int
}

type encoded struct {
	key     string
	payload [maxFrame]byte
	n       int
}

// begin clears the frame for a new tick and returns its samples.
func (f *frame) begin(rate int) []int16 {
	f.rate, f.made, f.held = rate, false, 0
	pcm := f.pcm[:rate/50]
	clear(pcm)
	return pcm
}

func (f *frame) wide(rate int) []int16 { return f.pcm[:rate/50] }

// at gives the frame at a listener's rate.
func (f *frame) at(rate int) []int16 {
	if rate == f.rate {
		return f.pcm[:rate/50]
	}
	if !f.made {
		if f.down == nil {
			f.down = newResampler(16000, 8000)
		}
		f.down.Process(f.narrow[:], f.pcm[:f.rate/50])
		f.made = true
	}
	return f.narrow[:]
}

// send sends the frame to a port, encoding it only if nobody with the same codec
// has had it yet.
func (f *frame) send(p *Port) {
	pcm := f.at(p.rate)
	key, ok := p.media.Shareable()
	if !ok {
		p.media.Send(pcm)
		return
	}
	for i := range f.held {
		if e := &f.shared[i]; e.key == key {
			p.media.SendEncoded(e.payload[:e.n])
			return
		}
	}
	if f.held == maxShared {
		p.media.Send(pcm)
		return
	}
	e := &f.shared[f.held]
	n, err := p.media.Encode(e.payload[:], pcm)
	if err != nil {
		return // counted by the session when it sends for itself
	}
	e.key, e.n = key, n
	f.held++
	p.media.SendEncoded(e.payload[:n])
}

// finish adds the port's own sounds and volume, and sends.
func (p *Port) finish(pcm []int16, rate int) {
	p.hear.apply(pcm)
	if p.player.playing() {
		duck.apply(pcm)
		if tag := p.player.next(pcm, rate); tag != 0 {
			p.emit(Event{Kind: EventPlayed, Tag: tag})
		}
	}
	if p.rate == rate {
		p.media.Send(pcm)
		return
	}
	if p.down == nil {
		p.down = newResampler(16000, 8000)
	}
	var narrow [maxFrame / 2]int16
	p.down.Process(narrow[:], pcm)
	p.media.Send(narrow[:])
}

// newResampler converts between the two rates of a mix.
func newResampler(from, to int) *resample.Resampler {
	r, err := resample.New(from, to)
	if err != nil {
		panic(err) // only rates that a mix has come here
	}
	return r
}
