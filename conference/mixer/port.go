package mixer

import (
	"sync"
	"time"

	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/playout"
	"github.com/conclave-voice/conclave/media/resample"
	"github.com/conclave-voice/conclave/media/session"
)

// MaxRate is the highest sample rate, in Hz, that rooms mix at and sessions may have.
const MaxRate = 16000

// maxFrame is 20 ms at the highest rate of a mix.
const maxFrame = MaxRate / 50

// unity is a volume of 0 dB; volumes are in 1/256.
const unity = 256

// MaxVolume and MinVolume bound how far a caller may turn what it hears or says:
// steps of 3 dB.
const (
	MaxVolume = 4
	MinVolume = -4
)

// Mode is what a port does in its mixer.
type Mode struct {
	Speaks bool // is heard
	Hears  bool // hears the mix
	Music  bool // hears music
}

// EventKind says what a port's event is about.
type EventKind uint8

const (
	EventDigit    EventKind = iota // Digit was pressed
	EventPlayed                    // the sounds of Tag have been played to the end
	EventCaptured                  // Captured holds what was recorded
)

// Event is something that the tick saw.
type Event struct {
	Kind     EventKind
	Digit    dtmf.Digit
	InBand   bool // Digit was heard in the audio
	Tag      int
	Captured []int16
	Rate     int // of Captured
}

// maxEvents is how many events may wait to be taken. A full queue means that
// the call's goroutine stands still: further digits are dropped and counted.
const maxEvents = 64

// Port is one caller's leg. Its methods are safe for concurrent use.
type Port struct {
	media  *session.Session
	events chan Event

	mu      sync.Mutex
	mode    Mode
	player  player
	hear    volume
	speak   volume
	capture capture
	dropped uint64

	// Owned by the tick.
	rate     int // of the session, this tick
	in       [maxFrame]int16
	talking  bool // in holds voice that the mix takes
	up, down *resample.Resampler
	tones    toneFilter
}

// NewPort makes a silent, deaf port of a session.
func NewPort(media *session.Session) *Port {
	return &Port{media: media, events: make(chan Event, maxEvents), hear: unity, speak: unity}
}

// Events delivers what the ticks see. It is never closed.
func (p *Port) Events() <-chan Event { return p.events }

// Media is the port's session.
func (p *Port) Media() *session.Session { return p.media }

// SetMode says what the port does, from the next tick on.
func (p *Port) SetMode(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
}

// Play queues sounds for this caller alone; the mix goes on softly underneath.
// When the last of them has been heard, an EventPlayed carries the tag (if not 0).
func (p *Port) Play(tag int, sounds ...Sound) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(sounds) == 0 || !p.player.add(tag, sounds...) {
		p.emit(Event{Kind: EventPlayed, Tag: tag})
	}
}

// Stop silences what Play has queued. No EventPlayed follows.
func (p *Port) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.player.stop()
}

// SetVolumes sets what the caller hears and says, in steps of 3 dB from MinVolume
// to MaxVolume.
func (p *Port) SetVolumes(hear, speak int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear, p.speak = volumeOf(hear), volumeOf(speak)
}

// Capture records what the caller says for at most d, then an EventCaptured
// carries it.
func (p *Port) Capture(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.capture.start(int(d / session.FrameTime))
}

// StopCapture ends a recording early; its EventCaptured follows.
func (p *Port) StopCapture() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endCapture()
}

// Dropped is how many events were lost because nobody took them.
func (p *Port) Dropped() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// emit never blocks: it runs in the tick.
func (p *Port) emit(e Event) {
	if e.Kind == EventPlayed && e.Tag == 0 {
		return
	}
	select {
	case p.events <- e:
	default:
		p.dropped++
	}
}

// take receives one frame: from the network, through the tone filter, into in.
func (p *Port) take(now time.Duration) {
	p.media.Receive(now)
	for d, ok := p.media.Digit(); ok; d, ok = p.media.Digit() {
		p.tones.keyed()
		p.emit(Event{Kind: EventDigit, Digit: d})
	}
	n, status := p.media.Read(p.in[:])
	p.rate = n * 50
	frame := p.in[:n]
	if n > 0 {
		if d, ok := p.tones.process(frame, p.rate, p.media.InBand()); ok {
			p.emit(Event{Kind: EventDigit, Digit: d, InBand: true})
		}
	}
	if p.capture.left > 0 && n > 0 && p.capture.add(frame, p.rate) {
		p.endCapture()
	}
	p.talking = p.mode.Speaks && n > 0 && status != playout.Silence
}

func (p *Port) endCapture() {
	if pcm, rate, ok := p.capture.end(); ok {
		p.emit(Event{Kind: EventCaptured, Captured: pcm, Rate: rate})
	}
}

// voice brings in to the mix's rate and volume. It returns nil for one who does
// not talk.
func (p *Port) voice(rate int) []int16 {
	if !p.talking {
		return nil
	}
	frame := p.in[:p.rate/50]
	if p.rate != rate {
		if p.up == nil {
			p.up = newResampler(8000, 16000)
		}
		var narrow [maxFrame / 2]int16
		copy(narrow[:], frame)
		frame = p.in[:rate/50]
		p.up.Process(frame, narrow[:])
	}
	p.speak.apply(frame)
	return frame
}

// volume is a factor in 1/256.
type volume int32

// steps are -12 to +12 dB in steps of 3 dB.
var steps = [...]volume{64, 91, 128, 181, unity, 362, 512, 723, 1024}

func volumeOf(step int) volume {
	return steps[min(max(step, MinVolume), MaxVolume)-MinVolume]
}

func (v volume) apply(pcm []int16) {
	if v == unity {
		return
	}
	for i, x := range pcm {
		pcm[i] = saturate(int32(x) * int32(v) / unity)
	}
}

// capture records frames.
type capture struct {
	left int // frames still to come
	rate int
	pcm  []int16
}

func (c *capture) start(frames int) { *c = capture{left: frames} }

// add keeps a frame and says whether that was the last.
func (c *capture) add(pcm []int16, rate int) bool {
	if c.pcm == nil {
		// The one allocation of a recording, at its first frame.
		c.pcm, c.rate = make([]int16, 0, c.left*len(pcm)), rate
	}
	if rate == c.rate && len(c.pcm)+len(pcm) <= cap(c.pcm) {
		c.pcm = append(c.pcm, pcm...)
	}
	c.left--
	return c.left == 0
}

func (c *capture) end() ([]int16, int, bool) {
	if c.pcm == nil && c.left == 0 {
		return nil, 0, false
	}
	pcm, rate := c.pcm, c.rate
	*c = capture{}
	return pcm, rate, true
}
