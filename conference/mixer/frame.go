package mixer

import "github.com/conclave-voice/conclave/media/session"

const (
	// maxShared is how many encodings of one frame there are for listeners to share: one
	// for each codec, packet time and phase that they have. Who finds no room encodes for
	// itself.
	maxShared = 16
	// idle is for how many ticks an encoding is kept that nobody wants: 10 s.
	idle = 500
)

// frame is 20 ms that several listeners hear alike, at the rate of the mix and, as they
// are asked for, at theirs, with the encodings that were made of it.
type frame struct {
	tick   uint64
	rate   int
	pcm    []int16
	others []version
	shared []encoding
}

// version is the frame at a listener's rate.
type version struct {
	rate int
	made uint64 // the tick that pcm is of
	pcm  []int16
	down converter
}

// encoding is what listeners with one codec share.
type encoding struct {
	*session.Shared
	made uint64 // the last tick that it encoded
}

// begin starts the frame of another tick and returns its samples.
func (f *frame) begin(rate int) []int16 {
	f.tick++
	f.rate = rate
	f.pcm = resized(f.pcm, rate/50)
	for i := len(f.shared) - 1; i >= 0; i-- {
		if e := f.shared[i]; f.tick-e.made > idle {
			e.Close()
			last := len(f.shared) - 1
			f.shared[i], f.shared[last] = f.shared[last], encoding{}
			f.shared = f.shared[:last]
		}
	}
	return f.pcm
}

// release closes all encodings.
func (f *frame) release() {
	for _, e := range f.shared {
		e.Close()
	}
	f.shared = nil
}

// wide is the frame at the rate of the mix.
func (f *frame) wide() []int16 { return f.pcm }

// at gives the frame at a listener's rate.
func (f *frame) at(rate int) []int16 {
	if rate == f.rate {
		return f.pcm
	}
	v := f.version(rate)
	if v.made != f.tick {
		v.made = f.tick
		v.down.run(v.pcm, f.pcm, f.rate, rate, f.tick)
	}
	return v.pcm
}

func (f *frame) version(rate int) *version {
	for i := range f.others {
		if f.others[i].rate == rate {
			return &f.others[i]
		}
	}
	f.others = append(f.others, version{rate: rate, pcm: make([]int16, rate/50)})
	return &f.others[len(f.others)-1]
}

// send sends the frame to a port, encoded once for all who can share that.
func (f *frame) send(p *Port, by *session.Traffic) {
	e := f.encoding(p)
	if e == nil || !by.SendShared(p.media, e.Shared) {
		by.Send(p.media, f.at(p.rate))
	}
}

// encoding finds the encoding of this tick for a port, or makes it; nil: there is none.
func (f *frame) encoding(p *Port) *encoding {
	kind, waiting, _ := p.media.Sharing()
	for i := range f.shared {
		e := &f.shared[i]
		if e.made == f.tick && e.Served(kind, waiting) {
			return e
		}
		// One that has missed a tick goes on if no packet of it is half made.
		if e.made != f.tick && e.Fits(kind, waiting) && (e.made+1 == f.tick || waiting == 0) {
			return f.encode(e, p.rate)
		}
	}
	if len(f.shared) == maxShared {
		return nil
	}
	sh, err := p.media.NewShared()
	if sh == nil || err != nil {
		return nil
	}
	f.shared = append(f.shared, encoding{Shared: sh, made: f.tick})
	return f.encode(&f.shared[len(f.shared)-1], p.rate)
}

func (f *frame) encode(e *encoding, rate int) *encoding {
	e.made = f.tick
	if e.Encode(f.at(rate)) != nil {
		return nil // counted by the session when it encodes for itself
	}
	return e
}
