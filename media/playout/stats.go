package playout

import (
	"time"

	"github.com/conclave-voice/conclave/media/quality"
)

// Stats is what happened since New, over all streams.
type Stats struct {
	// Packets.
	Received  uint64 // duplicates included
	Lost      uint64 // not come yet, or never
	Late      uint64 // came, but too late to be played
	Duplicate uint64
	Discarded uint64 // given up: the queue was full, the delay was cut, or they did not fit the stream
	Malformed uint64 // empty, longer than 60 ms, or refused by the decoder

	// Frames of 20 ms that were read, by their Status.
	Voice, Concealed, Silent uint64
	// Frames that Advance let pass.
	Passed uint64

	// Audio of lost packets that was had from copies in the packets after them (FEC).
	Recovered time.Duration

	// Audio that was put in and taken out to change the delay, outside of silence.
	Stretched, Shortened time.Duration

	Delay  time.Duration // between a packet's earliest arrival and its play
	Target time.Duration // what Delay is led to
	Jitter time.Duration // RFC 3550 section 6.4.1
	Packet time.Duration // how much audio the last packet that was played had
}

// Report is what RTCP wants to know (RFC 3550 section 6.4.1).
type Report struct {
	FractionLost    uint8  // in 256ths, since the last Report
	TotalLost       uint32 // of this stream, 0 to 0x7fffff
	HighestSequence uint32 // extended by the cycles
	Jitter          uint32 // in timestamp units
}

// Stats is a snapshot.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Lost = uint64(b.numbers.lost())
	// What was made up while nothing came is not delay yet: nothing waits.
	s.Delay = b.duration(max(0, b.latency()-b.starved))
	s.Target = b.duration(b.delay.required)
	s.Packet = b.duration(b.packet)
	s.Jitter = time.Duration(b.jitter.value>>4) * time.Second / time.Duration(b.config.ClockRate)
	return s
}

// Losses is the pattern of the packets that were not heard, over all streams. It is some
// packets behind, for those that may still come.
func (b *Buffer) Losses() quality.Losses { return b.numbers.losses }

// Report gives the fields of a report block and begins its next interval, so it
// is called once for each report that is sent.
func (b *Buffer) Report() Report {
	fraction, total, highest := b.numbers.report()
	return Report{FractionLost: fraction, TotalLost: total, HighestSequence: highest, Jitter: uint32(b.jitter.value >> 4)}
}

func (b *Buffer) duration(n int64) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(b.config.SampleRate)
}

// jitter is the estimate of RFC 3550 appendix A.8.
type jitter struct {
	known bool
	stamp uint32
	last  time.Duration
	value int64 // times 16, in timestamp units
}

func (j *jitter) observe(timestamp uint32, arrival time.Duration, clockRate int) {
	if j.known {
		apart := int64(arrival-j.last) * int64(clockRate) / int64(time.Second)
		d := apart - int64(int32(timestamp-j.stamp))
		// A jump of the timestamps is no jitter; it would spoil the figure for
		// minutes.
		if d = max(d, -d); d < int64(clockRate) {
			j.value += d - (j.value+8)>>4
		}
	}
	j.known, j.stamp, j.last = true, timestamp, arrival
}
