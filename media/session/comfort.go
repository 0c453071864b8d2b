package session

import (
	"github.com/conclave-voice/conclave/media/noise"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/playout"
)

// loudestNoise bounds, in dBFS, what a peer can have us play as the noise of its line.
const loudestNoise = -35

// comfort is the noise of a peer that sends nothing else in its pauses (RFC 3389).
type comfort struct {
	source *noise.Generator // nil: it has not sent any
	rate   int              // of source
	on     bool             // it pauses
	ending bool             // audio has come again, and is not played yet
}

// isNoise says whether a payload type is comfort noise: what was agreed on, or the static
// type of RFC 3551, which some send without asking.
func isNoise(m offeranswer.Media, payloadType uint8) bool {
	if int(payloadType) == m.Format.PayloadType {
		return false
	}
	static := payloadType == offeranswer.StaticNoise && m.Format.ClockRate == 8000
	return static || m.ComfortNoise != 0 && payloadType == m.ComfortNoise
}

// noiseType is the payload type of comfort noise that is sent.
func noiseType(m offeranswer.Media) uint8 {
	if m.ComfortNoise != 0 {
		return m.ComfortNoise
	}
	return offeranswer.StaticNoise
}

// take takes a packet that says how loud the noise is: -dBov in the first octet. How it
// sounds, in what may follow, is left alone (RFC 3389 section 3).
func (c *comfort) take(payload []byte, rate int) {
	if len(payload) == 0 {
		return
	}
	level := min(-float64(payload[0]&0x7f), loudestNoise)
	if c.source == nil || c.rate != rate {
		c.source, c.rate = noise.New(rate, level), rate
	}
	c.source.SetLevel(level)
	c.on, c.ending = true, false
}

// audio notes that a packet of audio has come.
func (c *comfort) audio() { c.ending = true }

// fill puts the noise where nothing is played.
func (c *comfort) fill(pcm []int16, status playout.Status) {
	switch {
	case !c.on:
	case status == playout.Silence:
		c.source.AddTo(pcm)
	case c.ending:
		c.on = false
	}
}
