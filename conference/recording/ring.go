package recording

import (
	"sync/atomic"

	"github.com/conclave-voice/conclave/conference/mixer"
)

const (
	// ringSeconds of the mix fit into the ring at maxRate; at lower ones it is more.
	ringSeconds = 2
	maxRate     = mixer.MaxRate
	// ringVoices is for how many who speak at once, at 16 kHz, there is room for 2 s of
	// their tracks.
	ringVoices = 32
)

// head says what a piece of audio is. It is one frame of 20 ms.
type head struct {
	port *mixer.Port // whose voice; nil: the mix
	tick uint64      // of the segment, from 0
	rate int         // Hz
	n    int         // samples
}

// ring holds audio between the tick, which puts, and the writer, which takes: one goroutine
// each. Neither ever waits for the other. When it is full, put refuses.
type ring struct {
	heads   []head
	samples []int16
	// Counts of what has ever gone in and out; only their differences count.
	in, out       atomic.Uint64 // heads
	written, read atomic.Uint64 // samples
}

func newRing(tracks bool) *ring {
	heads, samples := ringSeconds*50*maxRate/8000, ringSeconds*maxRate
	if tracks {
		heads += ringSeconds * 50 * ringVoices
		samples += ringSeconds * 16000 * ringVoices
	}
	return &ring{heads: make([]head, heads), samples: make([]int16, samples)}
}

// put copies a frame in. It says whether there was room.
func (r *ring) put(h head, pcm []int16) bool {
	in, written := r.in.Load(), r.written.Load()
	if in-r.out.Load() == uint64(len(r.heads)) || int(written-r.read.Load())+len(pcm) > len(r.samples) {
		return false
	}
	at := int(written % uint64(len(r.samples)))
	n := copy(r.samples[at:], pcm)
	copy(r.samples, pcm[n:])
	h.n = len(pcm)
	r.heads[in%uint64(len(r.heads))] = h
	r.written.Store(written + uint64(len(pcm)))
	r.in.Store(in + 1)
	return true
}

// take copies the oldest frame out into pcm, which has room for any. ok is false if there
// is none.
func (r *ring) take(pcm []int16) (h head, frame []int16, ok bool) {
	out := r.out.Load()
	if out == r.in.Load() {
		return head{}, nil, false
	}
	slot := &r.heads[out%uint64(len(r.heads))]
	h = *slot
	slot.port = nil
	read := r.read.Load()
	at := int(read % uint64(len(r.samples)))
	frame = pcm[:h.n]
	n := copy(frame, r.samples[at:])
	copy(frame[n:], r.samples)
	r.read.Store(read + uint64(h.n))
	r.out.Store(out + 1)
	return h, frame, true
}
