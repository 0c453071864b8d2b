package wan

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// reason is why a packet does not arrive.
type reason uint8

const (
	passes   reason = iota
	cut             // the direction, or the class in it, is cut
	lost            // by chance
	waits           // it would have to wait for the rate longer than Buffer
	tooLarge        // for MaxPacket
	overflow        // too many packets are under way
)

// fate is what becomes of one packet.
type fate struct {
	why       reason
	at        time.Time // when it arrives, if it passes
	twice     bool      // a second one arrives with it
	reordered bool      // later ones may arrive before it
}

// direction decides for the packets from one site to another. It does no I/O, has no
// clock and no lock.
type direction struct {
	base    Impairment
	shared  pipe // of the classes that have no impairment of their own
	cut     bool // all of it
	classes []classState
}

// classState is one class of packets in one direction.
type classState struct {
	random *rand.Rand
	cut    bool
	own    *Impairment // instead of the direction's
	pipe   pipe        // used with own
}

// pipe is the line that packets follow one another on.
type pipe struct {
	busy time.Time // until then earlier packets are being sent
	last time.Time // when the last of them arrives that keeps its order
}

func newDirection(seed uint64, from, to string, classes []string) *direction {
	d := &direction{}
	for _, class := range classes {
		name := fnv.New64a()
		name.Write([]byte(from + "\x00" + to + "\x00" + class)) // a hash takes everything
		d.classes = append(d.classes, classState{random: rand.New(rand.NewPCG(seed, name.Sum64()))})
	}
	return d
}

func (d *direction) isCut(class int) bool { return d.cut || d.classes[class].cut }

// decide says what becomes of a packet of a class and a size in octets that is sent
// now. Times must not go back from one call to the next.
func (d *direction) decide(now time.Time, class, size int) fate {
	c := &d.classes[class]
	i, p := d.base, &d.shared
	if c.own != nil {
		i, p = *c.own, &c.pipe
	}
	// Always drawn, so that the same packets get the same numbers whatever is set.
	loss, duplicate, reorder, jitter := c.random.Float64(), c.random.Float64(), c.random.Float64(), c.random.Float64()
	switch {
	case d.isCut(class):
		return fate{why: cut}
	case i.MaxPacket > 0 && size > i.MaxPacket:
		return fate{why: tooLarge}
	}
	sent, ok := p.send(now, i, size)
	switch {
	case !ok:
		return fate{why: waits}
	case loss < i.Loss:
		return fate{why: lost}
	}
	f := fate{at: sent.Add(i.Delay + time.Duration(jitter*float64(i.Jitter))), twice: duplicate < i.Duplicate}
	if f.at.Before(p.last) {
		f.at = p.last
	}
	if reorder < i.Reorder {
		f.reordered = true
		f.at = f.at.Add(i.holdBack())
	} else {
		p.last = f.at
	}
	return f
}

// send puts a packet on the line, and says when its last bit has left.
func (p *pipe) send(now time.Time, i Impairment, size int) (sent time.Time, ok bool) {
	if i.Rate == 0 {
		return now, true
	}
	begin := now
	if p.busy.After(now) {
		begin = p.busy
	}
	if begin.Sub(now) > i.buffer() {
		return now, false
	}
	p.busy = begin.Add(time.Duration(float64(size) * 8 / float64(i.Rate) * float64(time.Second)))
	return p.busy, true
}
