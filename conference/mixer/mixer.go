package mixer

import (
	"slices"
	"sync"
	"time"
)

// Mixer mixes the ports that are in it. It is an engine.Ticker.
type Mixer struct {
	mu    sync.Mutex
	ports []*Port
	tap   Tap // nil: nobody listens
	rate  int // of the mix in Hz, this tick

	room       player // what everybody hears
	announcing bool   // room plays in this tick
	music      player

	sum    [maxFrame]int32
	full   frame // everybody's mix
	tune   frame // music alone
	quiet  frame
	common frame // the room's announcement alone
}

// New makes an empty mixer. music is what ports in Mode.Music hear, looping; nil
// for none.
func New(music Sound) *Mixer {
	m := &Mixer{}
	if music != nil {
		m.music.loop = true
		m.music.add(0, music)
	}
	return m
}

// Add puts a port in. Its mode is silent and deaf until SetMode.
func (m *Mixer) Add(p *Port) {
	p.SetMode(Mode{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ports = append(m.ports, p)
}

// Remove takes a port out. When it returns, the tick touches it no more.
func (m *Mixer) Remove(p *Port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ports = slices.DeleteFunc(m.ports, func(x *Port) bool { return x == p })
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
	defer m.mu.Unlock()
	m.room.add(0, sounds...)
}

// Tick moves every port on by one frame.
func (m *Mixer) Tick(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takeAll(now)
	m.mixAll()
	for _, p := range m.ports {
		p.mu.Lock()
		m.give(p)
		p.mu.Unlock()
	}
}

// takeAll receives from all ports and settles the rate of the mix.
func (m *Mixer) takeAll(now time.Duration) {
	m.rate = 8000
	for _, p := range m.ports {
		p.mu.Lock()
		p.take(now)
		p.mu.Unlock()
		m.rate = max(m.rate, p.rate)
	}
}

// mixAll adds up all voices and prepares what listeners share.
func (m *Mixer) mixAll() {
	n := m.rate / 50
	sum := m.sum[:n]
	clear(sum)
	for _, p := range m.ports {
		p.mu.Lock()
		voice := p.voice(m.rate)
		for i, v := range voice {
			sum[i] += int32(v)
		}
		if m.tap != nil && voice != nil {
			m.tap.Voice(p, m.rate, voice)
		}
		p.mu.Unlock()
	}
	common := m.common.begin(m.rate)
	if m.announcing = m.room.playing(); m.announcing {
		m.room.next(common, m.rate)
	}
	for i, v := range common {
		sum[i] += int32(v)
	}
	full := m.full.begin(m.rate)
	for i, v := range sum {
		full[i] = saturate(v)
	}
	if m.tap != nil {
		m.tap.Frame(m.rate, full)
	}
	m.music.next(m.tune.begin(m.rate), m.rate)
	m.quiet.begin(m.rate)
}

// give sends a port its frame.
func (m *Mixer) give(p *Port) {
	if p.rate == 0 {
		return // nothing negotiated yet
	}
	shared := m.shared(p)
	own := p.talking && p.mode.Hears
	if !own && !p.player.playing() && (p.hear == unity || shared == &m.quiet) {
		shared.send(p)
		return
	}
	var out [maxFrame]int16
	pcm := out[:m.rate/50]
	if own {
		m.withoutOwn(p, pcm)
	} else {
		copy(pcm, shared.wide(m.rate))
	}
	p.finish(pcm, m.rate)
}

// shared is what the port hears, its own voice and sounds apart.
func (m *Mixer) shared(p *Port) *frame {
	switch {
	case p.mode.Hears && p.mode.Music && !m.announcing:
		return &m.tune
	case p.mode.Hears:
		return &m.full
	case p.mode.Music:
		return &m.tune
	default:
		return &m.quiet
	}
}

// withoutOwn is the mix less the port's own voice.
func (m *Mixer) withoutOwn(p *Port, pcm []int16) {
	own := p.in[:len(pcm)]
	if p.mode.Music && !m.announcing {
		copy(pcm, m.tune.wide(m.rate)) // alone: there is no one else to hear
		return
	}
	for i := range pcm {
		pcm[i] = saturate(m.sum[i] - int32(own[i]))
	}
}
