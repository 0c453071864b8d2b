package playout

import "time"

// Report is the receiver's part of an RTCP reception report (RFC 3550 section
// 6.4.1).
type Report struct {
	FractionLost    uint8  // of 256, since the last report
	TotalLost       uint32 // 24 bits; never below zero here
	HighestSequence uint32 // extended by the count of wraps
	Jitter          uint32 // in units of the RTP clock
}

// receiver counts for reports, as RFC 3550 appendix A.3 and A.8 do.
type receiver struct {
	known    bool
	base     uint32 // extended first sequence number
	highest  uint32 // extended
	received uint32
	transit  int64
	jitter   int64 // 16 times the jitter in clock units

	priorExpected, priorReceived uint32
}

func (r *receiver) take(seq uint16, ts uint32, arrival time.Duration, clockRate int) {
	transit := int64(arrival)*int64(clockRate)/int64(time.Second) - int64(ts)
	if !r.known {
		r.known = true
		r.base, r.highest = uint32(seq)+1<<16, uint32(seq)+1<<16 // room below for what is reordered
		r.transit = transit
	}
	extended := r.highest + uint32(int32(int16(seq-uint16(r.highest))))
	r.highest = max(r.highest, extended)
	r.received++
	// The timestamp wraps: so does the difference of two transits.
	d := int64(int32(uint32(transit - r.transit)))
	r.transit = transit
	if d < 0 {
		d = -d
	}
	r.jitter += d - (r.jitter+8)>>4
}

func (r *receiver) jitterTime(clockRate int) time.Duration {
	return time.Duration(r.jitter>>4) * time.Second / time.Duration(clockRate)
}

func (r *receiver) report() Report {
	expected := r.highest - r.base + 1
	if !r.known {
		expected = 0
	}
	out := Report{HighestSequence: r.highest - 1<<16, Jitter: uint32(r.jitter >> 4)}
	if expected > r.received {
		out.TotalLost = min(expected-r.received, 1<<23-1)
	}
	interval := expected - r.priorExpected
	lost := int64(interval) - int64(r.received-r.priorReceived)
	if interval > 0 && lost > 0 {
		out.FractionLost = uint8(min(lost<<8/int64(interval), 255))
	}
	r.priorExpected, r.priorReceived = expected, r.received
	return out
}
