package mixer

import (
	"sync"
	"time"

	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/media/voice"
)

const (
	// MaxRate is the highest sample rate, in Hz, that rooms mix at and sessions may have.
	MaxRate  = 48000
	maxFrame = MaxRate / 50 // samples of 20 ms
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

// maxEvents is how many events may wait to be taken. When that many do, whoever takes
// them stands still: further digits are dropped and counted.
const maxEvents = 64

// Port is one caller's leg. Its methods are safe for concurrent use.
type Port struct {
	media  *session.Session
	notify func() // events are there; nil: nobody wants to know

	mu      sync.Mutex
	events  []Event // at most maxEvents
	mode    Mode
	player  player
	hear    int // gains that the caller chose
	speak   int
	capture capture
	dropped uint64

	// Owned by the tick.
	rate   int // of the session, this tick
	tones  toneFilter
	in     []int16 // what was received, of one who may be heard
	input  input
	turn   turn
	output output
}

// input is what becomes of a port's voice.
type input struct {
	may      bool // in is of this tick, and may be heard
	activity voice.Activity
	detector *voice.Detector
	rate     int        // of detector
	auto     voice.Gain // brings it to the loudness of others
	aim      int        // the gain that it is to have
	gain     int        // the gain that it has; 0: it is not in the mix
	up       converter  // from its rate to the mix's
	own      []int32    // as it went into the mix
	peak     int        // no sample of own has a higher magnitude
	mixed    bool       // own is of this tick
}

// output is what a port hears, where that is not what others hear, too.
type output struct {
	gain  int // of the mix in it
	down  converter
	limit limiter
	alone bool // it has a frame of its own in this tick
	since int  // ticks since what it heard was another frame than others', up to steady
}

// NewPort makes a silent, deaf port of a session. notify, if it is not nil, is called when
// Next has something. It must not wait, nor call the port: it runs in the tick.
func NewPort(media *session.Session, notify func()) *Port {
	return &Port{media: media, notify: notify, hear: unity, speak: unity,
		turn: silent(), output: output{gain: unity, since: steady}}
}

// Next takes the oldest event that the ticks have seen; false: there is none.
func (p *Port) Next() (Event, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) == 0 {
		return Event{}, false
	}
	e := p.events[0]
	if p.events = p.events[1:]; len(p.events) == 0 {
		p.events = nil
	}
	return e, true
}

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
	if p.media != nil {
		prepare(p.media.Rate(), sounds)
	}
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
// to MaxVolume. What it says is brought to the loudness of others before that.
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

// emit never blocks: it runs in the tick. The lock is held.
func (p *Port) emit(e Event) {
	if e.Kind == EventPlayed && e.Tag == 0 {
		return
	}
	if len(p.events) == maxEvents {
		p.dropped++
		return
	}
	p.events = append(p.events, e)
	if p.notify != nil {
		p.notify()
	}
}

func (p *Port) endCapture() {
	if pcm, rate, ok := p.capture.end(); ok {
		p.emit(Event{Kind: EventCaptured, Captured: pcm, Rate: rate})
	}
}
