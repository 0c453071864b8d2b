package dialogue

import (
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// Config are the limits of the conversation.
type Config struct {
	Tries         int           // wrong codes or silences before it is over
	FirstDigit    time.Duration // silence after the prompt that counts as a try
	BetweenDigits time.Duration // pause that ends the entry, as # does
	Overall       time.Duration // after which a caller without a code is released
	MaxLength     int           // digits after which the entry ends by itself
	NameTime      time.Duration // longest recorded name
	Welcome       []prompt.ID   // what the access number says first; nil: prompt.Welcome
}

// DefaultConfig is what callers know from other systems: three tries within two
// minutes.
func DefaultConfig() Config {
	return Config{
		Tries: 3, FirstDigit: 10 * time.Second, BetweenDigits: 4 * time.Second,
		Overall: 2 * time.Minute, MaxLength: 12, NameTime: 5 * time.Second,
	}
}

// Kind says what the owner is to do.
type Kind uint8

const (
	Play       Kind = iota // say Prompts, then call Played
	StopSounds             // stop saying them; no Played
	Lookup                 // find Code, then call Found or NotFound
	RecordName             // after Prompts and a tone, record for at most Limit; then call Named
	StopRecord             // end the recording; Named follows
	Join                   // the caller goes in
	Release                // say Prompts and hang up with Cause
)

// Effect is one thing to do.
type Effect struct {
	Kind    Kind
	Prompts []prompt.ID
	Code    string // digits of an access code: never to be logged
	Limit   time.Duration
	Cause   store.ReleaseCause
}

// namePrompt is ample time to ask for the name.
const namePrompt = 15 * time.Second

type state uint8

const (
	asking state = iota // a prompt is being said, no digit yet
	silent              // the prompt is over, no digit yet
	entering
	lookingUp
	naming
	over
)

// Dialogue is one caller's conversation.
type Dialogue struct {
	config   Config
	state    state
	code     []byte
	failed   int  // tries used up
	anyDigit bool // the caller has pressed something, ever
	deadline time.Time
	end      time.Time // of the whole
}

// New makes a conversation; Begin starts it.
func New(c Config) *Dialogue { return &Dialogue{config: c} }

// Begin says the welcome and asks for the code.
func (d *Dialogue) Begin(now time.Time) []Effect {
	d.end = now.Add(d.config.Overall)
	d.deadline = d.end
	welcome := d.config.Welcome
	if welcome == nil {
		welcome = []prompt.ID{prompt.Welcome}
	}
	return d.ask(append(welcome[:len(welcome):len(welcome)], prompt.EnterCode)...)
}

func (d *Dialogue) ask(prompts ...prompt.ID) []Effect {
	d.state, d.code = asking, nil
	d.deadline = d.end
	return []Effect{{Kind: Play, Prompts: prompts}}
}

// Deadline is when Tick has something to do; zero for never.
func (d *Dialogue) Deadline() time.Time { return d.deadline }

// Over says whether the conversation has ended, one way or the other.
func (d *Dialogue) Over() bool { return d.state == over }

// Played: the prompts have been said to the end.
func (d *Dialogue) Played(now time.Time) []Effect {
	if d.state == asking {
		d.state = silent
		d.waitUntil(now.Add(d.config.FirstDigit))
	}
	return nil
}

// Digit: the caller pressed '0' to '9', '*' or '#'. Others are ignored.
func (d *Dialogue) Digit(now time.Time, digit byte) []Effect {
	if digit != '*' && digit != '#' && (digit < '0' || digit > '9') {
		return nil
	}
	d.anyDigit = true
	switch d.state {
	case asking:
		return append([]Effect{{Kind: StopSounds}}, d.enter(now, digit)...)
	case silent, entering:
		return d.enter(now, digit)
	case naming:
		if digit == '#' {
			return []Effect{{Kind: StopRecord}}
		}
	}
	return nil // looking up: what is pressed now belongs to nothing
}

// enter takes one digit of the code.
func (d *Dialogue) enter(now time.Time, digit byte) []Effect {
	switch digit {
	case '*':
		d.state, d.code = entering, nil
		d.waitUntil(now.Add(d.config.FirstDigit))
		return nil
	case '#':
		if len(d.code) == 0 {
			d.state = entering
			d.waitUntil(now.Add(d.config.FirstDigit))
			return nil
		}
		return d.lookup()
	}
	d.state = entering
	d.code = append(d.code, digit)
	if len(d.code) >= d.config.MaxLength {
		return d.lookup()
	}
	d.waitUntil(now.Add(d.config.BetweenDigits))
	return nil
}

func (d *Dialogue) lookup() []Effect {
	d.state, d.deadline = lookingUp, time.Time{}
	return []Effect{{Kind: Lookup, Code: string(d.code)}}
}

// Found: the code leads to a room. wantsName is whether it announces by name.
func (d *Dialogue) Found(now time.Time, wantsName bool) []Effect {
	if d.state != lookingUp {
		return nil
	}
	d.code = nil
	if !wantsName {
		d.state = over
		return []Effect{{Kind: Join}}
	}
	d.state = naming
	// A caller whose audio stands still must not wait for ever.
	d.deadline = now.Add(d.config.NameTime + namePrompt)
	return []Effect{{Kind: RecordName, Prompts: []prompt.ID{prompt.SayName, prompt.ToneBeep}, Limit: d.config.NameTime}}
}

// Named: the recording of the name has ended.
func (d *Dialogue) Named() []Effect {
	if d.state != naming {
		return nil
	}
	d.state, d.deadline = over, time.Time{}
	return []Effect{{Kind: Join}}
}

// NotFound: the code leads nowhere.
func (d *Dialogue) NotFound(now time.Time) []Effect {
	if d.state != lookingUp {
		return nil
	}
	return d.fail(now, prompt.WrongCode, prompt.TryAgain, prompt.EnterCode)
}

// Tick: time passes.
func (d *Dialogue) Tick(now time.Time) []Effect {
	if d.deadline.IsZero() || now.Before(d.deadline) {
		return nil
	}
	switch {
	case d.state == naming:
		return d.Named()
	case !now.Before(d.end):
		return d.release()
	case d.state == entering && len(d.code) > 0:
		return d.lookup()
	case d.state == silent, d.state == entering:
		return d.fail(now, prompt.EnterCode)
	}
	d.deadline = time.Time{}
	return nil
}

// fail uses up one try.
func (d *Dialogue) fail(now time.Time, again ...prompt.ID) []Effect {
	d.failed++
	if d.failed >= d.config.Tries || !now.Before(d.end) {
		return d.release()
	}
	return d.ask(again...)
}

// release ends the conversation without a room.
func (d *Dialogue) release() []Effect {
	d.state, d.deadline, d.code = over, time.Time{}, nil
	if !d.anyDigit {
		return []Effect{{Kind: StopSounds}, {Kind: Release, Prompts: []prompt.ID{prompt.NoInput}, Cause: store.CauseNoInput}}
	}
	return []Effect{{Kind: StopSounds}, {Kind: Release, Prompts: []prompt.ID{prompt.TooManyTries}, Cause: store.CauseBadCode}}
}

// waitUntil sets the deadline, within the whole.
func (d *Dialogue) waitUntil(t time.Time) {
	if t.After(d.end) {
		t = d.end
	}
	d.deadline = t
}
