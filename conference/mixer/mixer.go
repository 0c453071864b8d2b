package mixer

import (
	"slices"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/media/noise"
	"github.com/conclave-voice/conclave/media/session"
)

// Config is how a mixer mixes.
type Config struct {
	Music       Sound   // what ports in Mode.Music hear, looping; nil: silence
	MaxSpeakers int     // how many of a crowd are heard at once; 0: DefaultSpeakers
	AutoGain    bool    // speakers are brought to one loudness
	Comfort     float64 // dBm0 of the noise under the mix; 0: none
}

// Mixer mixes the ports that are in it. It is an engine.Ticker.
type Mixer struct {
	config Config

	mu    sync.Mutex
	ports []*Port
	tap   Tap // nil: nobody listens
	tick  uint64

	watchers []*watcher

	rate rate

	room       player // what everybody hears
	announcing bool   // room plays in this tick
	music      player
	comfort    *noise.Generator // of the mix's rate; nil: none

	may     []*Port // those who may be heard, this tick
	waiting bool    // somebody hears music
	lull    bool    // nobody makes a sound, and nothing is played
	heard   []*Port // those who are in the mix
	limit   limiter
	sum     []int32
	scratch []int16 // room for one frame at the highest rate that there is
	wide    []int32
	second  []int16 // where ports have other rates than the mix
	full    frame   // everybody's mix
	tune    frame   // music alone
	quiet   frame
}

// New makes an empty mixer.
func New(c Config) *Mixer {
	if c.MaxSpeakers <= 0 {
		c.MaxSpeakers = DefaultSpeakers
	}
	m := &Mixer{config: c}
	if c.Music != nil {
		m.music.loop = true
		m.music.add(0, c.Music)
	}
	return m
}

// Add puts a port in. Its mode is silent and deaf until SetMode.
func (m *Mixer) Add(p *Port) {
	if m.config.Music != nil && p.media != nil {
		prepare(p.media.Rate(), []Sound{m.config.Music})
	}
	p.SetMode(Mode{})
	m.mu.Lock()
	defer m.mu.Unlock()
	p.mu.Lock()
	p.turn, p.input.gain, p.output.gain = silent(), 0, p.hear
	p.mu.Unlock()
	m.ports = append(m.ports, p)
}

// Remove takes a port out. When it returns, the tick touches it no more.
func (m *Mixer) Remove(p *Port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settleTalk(p, false)
	m.ports = slices.DeleteFunc(m.ports, func(x *Port) bool { return x == p })
	if len(m.ports) == 0 {
		// Encoders may hold memory that the collector knows nothing of.
		for _, f := range []*frame{&m.full, &m.tune, &m.quiet} {
			f.release()
		}
	}
}

// Len is how many ports are in.
func (m *Mixer) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ports)
}

// Announce plays sounds to all who are not on hold, over the mix.
func (m *Mixer) Announce(sounds ...Sound) {
	m.mu.Lock()
	at := m.rate.now
	m.mu.Unlock()
	prepare(at, sounds)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room.add(0, sounds...)
}

// Tick moves every port on by one frame. They receive and send by the traffic
// of its worker.
func (m *Mixer) Tick(now time.Duration, by *session.Traffic) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tick++
	best := m.takeAll(now, by)
	choose(m.may, m.config.MaxSpeakers)
	for _, p := range m.may {
		m.settleTalk(p, p.turn.placed && p.input.activity.Voice)
	}
	m.settleRate(best)
	m.mixAll()
	m.giveAll(by)
}

// takeAll receives from all ports, and gives the best rate that any of them has.
func (m *Mixer) takeAll(now time.Duration, by *session.Traffic) (best int) {
	m.may, m.waiting = m.may[:0], false
	for _, p := range m.ports {
		p.mu.Lock()
		m.widen(p.media.Rate())
		p.take(now, by, m.scratch, m.config.AutoGain)
		p.turn.sound = p.input.may && p.input.activity.Sound
		p.turn.level = p.input.activity.Level
		if p.input.may {
			m.may = append(m.may, p)
		} else {
			m.settleTalk(p, false)
			p.turn = silent()
		}
		m.waiting = m.waiting || p.mode.Music
		p.mu.Unlock()
		best = max(best, p.rate)
	}
	return best
}

// widen makes room for frames at a rate.
func (m *Mixer) widen(rate int) {
	if n := rate / 50; n > len(m.scratch) {
		m.scratch, m.wide = make([]int16, n), make([]int32, n)
	}
}

// mixAll adds up those who are heard and prepares what listeners share.
func (m *Mixer) mixAll() {
	rate := m.rate.now
	n := rate / 50
	sum := m.sum[:n]
	clear(sum)
	m.heard = m.heard[:0]
	for _, p := range m.ports {
		p.mu.Lock()
		if p.join(rate, m.tick, m.scratch) {
			m.heard = append(m.heard, p)
			for i, v := range p.input.own {
				sum[i] += v
			}
		}
		p.mu.Unlock()
	}
	if m.announcing = m.room.playing(); m.announcing {
		m.room.next(sum, rate)
	}
	if m.comfort != nil {
		m.comfort.Add(sum)
	}
	m.rate.smooth(sum)
	m.limitAll(sum)
	m.listenIn()
	m.playMusic()
	clear(m.quiet.begin(rate))
}

// playMusic makes the frame of those who wait. The music goes on where there are none.
func (m *Mixer) playMusic() {
	rate := m.rate.now
	out := m.tune.begin(rate)
	if !m.waiting {
		m.music.skip(rate)
		clear(out) // for one who begins to wait within this tick
		return
	}
	tune := m.wide[:len(out)]
	clear(tune)
	m.music.next(tune, rate)
	m.rate.smooth(tune)
	ramp{unity, unity, 0}.write(out, tune)
}

// limitAll makes the full mix, no louder than can be sent. What each speaker hears, the
// mix less its own voice, may be louder than that: it counts too, so that one gain does
// for all.
func (m *Mixer) limitAll(sum []int32) {
	all := peakOf(sum)
	peak := all
	for _, p := range m.heard {
		m.rate.smooth(p.input.own)
		if all+p.input.peak <= ceiling {
			continue // nor is the difference higher
		}
		for i, v := range p.input.own {
			less := int(sum[i] - v)
			peak = max(peak, less, -less)
		}
	}
	gain := m.limit.plan(peak, func(over int) int {
		first := firstOver(sum, over)
		for _, p := range m.heard {
			for i := range first {
				if less := int(sum[i] - p.input.own[i]); less > over || -less > over {
					first = i
					break
				}
			}
		}
		return first
	}, m.rate.now)
	gain.write(m.full.begin(m.rate.now), sum)
	for _, p := range m.heard {
		gain.apply(p.input.own)
	}
}

// listenIn tells the tap.
func (m *Mixer) listenIn() {
	if m.tap == nil {
		return
	}
	n := m.rate.now / 50
	for _, p := range m.heard {
		for i, v := range p.input.own {
			m.scratch[i] = saturate(v)
		}
		m.tap.Voice(p, m.rate.now, m.scratch[:n])
	}
	m.tap.Frame(m.rate.now, m.full.wide())
}
