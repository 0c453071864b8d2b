package quality

import "time"

// Gmin is how many packets in a row must be heard for a gap between bursts (RFC 3611
// section 4.7.2); the RFC recommends 16.
const Gmin = 16

// Losses is the pattern of what is not heard of a stream of packets, in the order of their
// sequence numbers. The zero value is ready.
//
// A burst begins and ends with a packet that is not heard, and has fewer than Gmin heard
// ones in a row (RFC 3611 section 4.7.2). A packet that is not heard, with Gmin heard ones
// on either side, is no burst: it belongs to the gap.
type Losses struct {
	counts Counts
	heard  uint32  // since the last that was not
	open   stretch // from what may be a burst's first packet to the last that was not heard
	gaps   stretch
	bursts stretch
	number uint32 // of bursts
}

// stretch are the packets of a part of the stream.
type stretch struct{ heard, missed uint32 }

func (s *stretch) add(o stretch) { s.heard, s.missed = s.heard+o.heard, s.missed+o.missed }

func (s stretch) density() float64 { return share(s.missed, s.heard+s.missed) }

// Counts are of packets.
type Counts struct {
	Heard   uint32
	Lost    uint32 // never came
	Late    uint32 // came too late to be heard
	Strings uint32 // of packets in a row that were not heard
}

// Heard counts a packet.
func (l *Losses) Heard() {
	l.counts.Heard++
	l.heard++
}

// Lost counts one that never came.
func (l *Losses) Lost() {
	l.counts.Lost++
	l.missed()
}

// Late counts one that came too late.
func (l *Losses) Late() {
	l.counts.Late++
	l.missed()
}

func (l *Losses) missed() {
	if l.heard > 0 || l.counts.Strings == 0 {
		l.counts.Strings++
	}
	if l.open.missed == 0 || l.heard >= Gmin {
		l.settle()
		l.gaps.heard += l.heard
		l.open = stretch{missed: 1}
	} else {
		l.open.add(stretch{l.heard, 1})
	}
	l.heard = 0
}

// settle decides what the open stretch was.
func (l *Losses) settle() {
	if l.open.missed > 1 {
		l.bursts.add(l.open)
		l.number++
	} else {
		l.gaps.add(l.open)
	}
	l.open = stretch{}
}

// Counts are those since the beginning.
func (l *Losses) Counts() Counts { return l.counts }

// Since is what was counted after an earlier reading.
func (c Counts) Since(earlier Counts) Counts {
	return Counts{Heard: c.Heard - earlier.Heard, Lost: c.Lost - earlier.Lost, Late: c.Late - earlier.Late, Strings: c.Strings - earlier.Strings}
}

// Missed is how many were not heard.
func (c Counts) Missed() uint32 { return c.Lost + c.Late }

// Total is all of them.
func (c Counts) Total() uint32 { return c.Heard + c.Missed() }

// Share is that of the packets that were not heard, 0 to 1.
func (c Counts) Share() float64 { return share(c.Missed(), c.Total()) }

// BurstRatio is the mean length of losses in a row over what it would be by chance (G.107
// section 3.2.1), not less than 1.
func (c Counts) BurstRatio() float64 {
	if c.Strings == 0 {
		return 1
	}
	return max(1, float64(c.Missed())/float64(c.Strings)*(1-c.Share()))
}

// Bursts is a pattern of losses in the terms of RFC 3611 section 4.7.2.
type Bursts struct {
	BurstDensity, GapDensity float64       // share of packets not heard within each, 0 to 1
	Burst, Gap               time.Duration // mean length of each
}

// Bursts is the pattern so far, of packets with so much audio each. Without a burst, all is
// one gap.
func (l *Losses) Bursts(packet time.Duration) Bursts {
	now := *l
	now.settle()
	now.gaps.heard += now.heard
	mean := func(s stretch) time.Duration {
		return time.Duration(s.heard+s.missed) * packet / time.Duration(max(now.number, 1))
	}
	return Bursts{BurstDensity: now.bursts.density(), GapDensity: now.gaps.density(), Burst: mean(now.bursts), Gap: mean(now.gaps)}
}

func share(part, whole uint32) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
