package callflow

import (
	"slices"
	"sync"
)

// gradeBounds are the upper bounds of the mean opinion scores that are counted together.
// Most calls are between 4 and 4.4; below 3.6 many listeners are dissatisfied (G.107
// Annex B).
var gradeBounds = [...]float64{1.5, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.1, 4.2, 4.3, 4.4, 4.5}

// Grade is what stays are counted by.
type Grade struct {
	Codec    string
	Outbound bool // what callers hear, else what is heard of them
}

// Grades are how many stays had which mean MOS.
type Grades struct {
	Count uint64
	Sum   float64
	// Below are how many had no more than the bound; each count is in those of the higher
	// bounds too.
	Below map[float64]uint64
}

// grades count the stays that have ended. The zero value is ready. There are as many
// as twice the codecs of the node.
type grades struct {
	mu     sync.Mutex
	counts map[Grade]*tally
}

type tally struct {
	sum     float64
	buckets [len(gradeBounds) + 1]uint64
}

// add counts a stay, each direction of which something is known.
func (g *grades) add(q Quality) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(Grade{Codec: q.Codec}, q.Inbound)
	g.note(Grade{Codec: q.Codec, Outbound: true}, q.Outbound)
}

func (g *grades) note(grade Grade, d Direction) {
	if !d.known() {
		return
	}
	if g.counts == nil {
		g.counts = map[Grade]*tally{}
	}
	t := g.counts[grade]
	if t == nil {
		t = &tally{}
		g.counts[grade] = t
	}
	t.sum += d.MeanMOS
	at, _ := slices.BinarySearch(gradeBounds[:], d.MeanMOS)
	t.buckets[at]++
}

// Grades are how many of the stays of this node that have ended had which MOS.
func (e *Engine) Grades() map[Grade]Grades {
	e.graded.mu.Lock()
	defer e.graded.mu.Unlock()
	all := map[Grade]Grades{}
	for grade, t := range e.graded.counts {
		g := Grades{Sum: t.sum, Below: map[float64]uint64{}}
		for i, n := range t.buckets {
			g.Count += n
			if i < len(gradeBounds) {
				g.Below[gradeBounds[i]] = g.Count
			}
		}
		all[grade] = g
	}
	return all
}
