package playout

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

// Frame is how much Read gives.
const Frame = 20 * time.Millisecond

const (
	slots      = 64   // packets held; a power of two
	maxPayload = 1024 // octets; larger ones are dropped
	maxDecoded = 2880 // samples of 60 ms at 48 kHz
	maxRate    = 48000
)

// Status is what a frame holds.
type Status uint8

const (
	Silence   Status = iota // nothing to play: zeros
	Voice                   // decoded audio
	Concealed               // made up for a loss
)

// Config is what a Buffer plays. Zero delays mean the defaults.
type Config struct {
	Decoder    codec.Decoder
	ClockRate  int           // Hz of the RTP timestamps
	SampleRate int           // Hz of the frames
	MinDelay   time.Duration // the least that is aimed at; default 20 ms
	MaxDelay   time.Duration // the most; default 200 ms
}

// Buffer is the playout of one stream. It is not safe for concurrent use.
type Buffer struct {
	config Config
	frame  int // samples of a frame

	packets [slots]packet
	started bool   // base, highest and next are set
	playing bool   // past the first filling
	seen    int    // packets, or frames waited for one, since the stream began
	missed  bool   // a packet came too late since the last frame
	next    uint16 // sequence number to be played next
	nextTS  uint32 // RTP timestamp to be played next
	highest uint16 // sequence number
	endTS   uint32 // timestamp after the last sample of the highest packet
	step    uint32 // timestamp units of the last packet decoded

	pcm     [maxDecoded + maxRate/50]int16 // decoded and not yet read
	have    int
	status  Status // of the newest samples in pcm
	lack    int    // frames in a row without anything to play
	conceal concealer
	delay   delayControl
	report  receiver
	stats   Stats
}

type packet struct {
	full    bool
	seq     uint16
	ts      uint32
	payload []byte // grows to the size in use, then stays
}

// Stats is what happened so far.
type Stats struct {
	Received, Lost, Late, Duplicate uint64 // packets
	Overflow                        uint64 // packets that found no place
	Malformed                       uint64 // packets that could not be decoded
	Concealed                       uint64 // frames
	Dropped, Inserted               uint64 // frames, to correct the delay
	Delay                           time.Duration
	Target                          time.Duration
	Jitter                          time.Duration // RFC 3550 section 6.4.1
}

// New makes an empty buffer.
func New(c Config) *Buffer {
	if c.MinDelay <= 0 {
		c.MinDelay = Frame
	}
	if c.MaxDelay <= 0 {
		c.MaxDelay = 10 * Frame
	}
	b := &Buffer{config: c, frame: c.SampleRate / 50, step: uint32(c.ClockRate / 50)}
	b.conceal.rate = c.SampleRate
	b.delay = newDelayControl(c)
	return b
}

// Reset forgets the stream: another one, with its own numbers, begins. The delay
// that was learned of the path stays.
func (b *Buffer) Reset() {
	for i := range b.packets {
		b.packets[i].full = false
	}
	b.started, b.playing, b.have, b.lack = false, false, 0, 0
	b.report = receiver{}
	b.delay.restart()
}

// Push takes a packet that arrived at the given time (any fixed zero). The
// payload is copied.
func (b *Buffer) Push(seq uint16, timestamp uint32, payload []byte, arrival time.Duration) {
	if len(payload) == 0 || len(payload) > maxPayload {
		b.stats.Malformed++
		return
	}
	if b.started && b.jumped(seq, timestamp) {
		b.Reset()
	}
	if !b.started {
		b.begin(seq, timestamp)
	}
	b.stats.Received++
	b.report.take(seq, timestamp, arrival, b.config.ClockRate)
	b.delay.arrived(timestamp, arrival)
	if behind(seq, b.next) {
		if b.playing || int16(b.highest-seq) >= slots/2 {
			b.stats.Late++
			b.missed = true
			return
		}
		// Not playing yet: the stream begins earlier than its first packet said.
		b.next, b.nextTS = seq, timestamp
	}
	if int16(seq-b.next) >= slots {
		b.stats.Overflow++
		return
	}
	p := &b.packets[seq%slots]
	if p.full && p.seq == seq {
		b.stats.Duplicate++
		return
	}
	p.full, p.seq, p.ts = true, seq, timestamp
	p.payload = append(p.payload[:0], payload...)
	b.seen++
	b.measure(seq, timestamp)
	if !behind(seq, b.highest) {
		b.highest, b.endTS = seq, timestamp+b.step
	}
}

// measure learns how much audio a packet holds from two that follow one another.
func (b *Buffer) measure(seq uint16, timestamp uint32) {
	before := &b.packets[(seq-1)%slots]
	if !before.full || before.seq != seq-1 || len(before.payload) == 0 {
		return
	}
	if units := timestamp - before.ts; units > 0 && units <= uint32(b.config.ClockRate*60/1000) {
		b.step = units
		b.delay.packet = time.Duration(units) * time.Second / time.Duration(b.config.ClockRate)
	}
}

// Skip notes a sequence number that was used for something else than audio, a
// telephone event: it is not a loss.
func (b *Buffer) Skip(seq uint16) {
	if !b.started || behind(seq, b.next) || int16(seq-b.next) >= slots {
		return
	}
	p := &b.packets[seq%slots]
	p.full, p.seq, p.payload = true, seq, p.payload[:0]
}

func (b *Buffer) begin(seq uint16, timestamp uint32) {
	b.started, b.playing, b.seen = true, false, 0
	b.next, b.nextTS = seq, timestamp
	b.highest, b.endTS = seq, timestamp+b.step
}

// jumped says whether the numbers cannot belong to the stream so far: the sender
// began anew without a new SSRC.
func (b *Buffer) jumped(seq uint16, timestamp uint32) bool {
	ds, dt := int(int16(seq-b.highest)), int64(int32(timestamp-b.endTS))
	second := int64(b.config.ClockRate)
	if ds > 3000 || ds < -3000 { // RFC 3550 appendix A.1: MAX_DROPOUT
		return true
	}
	// Timestamps that go back while the sequence goes on.
	return ds > 0 && dt < -second
}

// behind says whether a comes before b in the circle of sequence numbers.
func behind(a, b uint16) bool { return int16(a-b) < 0 }

// Read fills pcm, one frame of 20 ms at SampleRate, and says what it holds.
func (b *Buffer) Read(pcm []int16) Status {
	if !b.started {
		return b.silence(pcm)
	}
	if !b.playing {
		if !b.filled() {
			return b.silence(pcm)
		}
		b.playing = true
	}
	missed := b.missed
	b.missed = false
	switch b.delay.correct(b.held(), b.conceal.quiet(), missed) {
	case shorten:
		if b.produce() {
			b.have -= min(b.have, b.frame)
			copy(b.pcm[:b.have], b.pcm[b.frame:])
			b.stats.Dropped++
		}
	case lengthen:
		b.stats.Inserted++
		return b.insert(pcm)
	}
	if !b.produce() {
		return b.starve(pcm)
	}
	b.lack = 0
	status := b.status
	copy(pcm[:b.frame], b.pcm[:b.frame])
	b.have -= b.frame
	copy(b.pcm[:b.have], b.pcm[b.frame:b.frame+b.have])
	return status
}

// filled says whether playing may begin: with what the delay aims at, and two
// packets, which tell how long they are (or none came for the time of one).
func (b *Buffer) filled() bool {
	b.seen++
	return b.held() >= b.delay.target && b.seen > 3
}

// held is how much audio waits, in time, gaps included.
func (b *Buffer) held() time.Duration {
	units := max(int64(int32(b.endTS-b.nextTS)), 0)
	return time.Duration(units)*time.Second/time.Duration(b.config.ClockRate) +
		time.Duration(b.have)*time.Second/time.Duration(b.config.SampleRate)
}

func (b *Buffer) silence(pcm []int16) Status {
	clear(pcm[:b.frame])
	return Silence
}

// insert plays a frame that is not in the stream, which makes the delay longer.
func (b *Buffer) insert(pcm []int16) Status {
	b.conceal.fill(pcm[:b.frame])
	b.conceal.heard(pcm[:b.frame])
	return Voice
}

// starve plays on while nothing has arrived: the voice fades out, then silence.
// After a while the stream has to fill the buffer again.
func (b *Buffer) starve(pcm []int16) Status {
	b.lack++
	if b.lack*int(Frame) > int(200*time.Millisecond) {
		b.playing, b.lack = false, 0
		b.conceal.reset()
		return b.silence(pcm)
	}
	b.stats.Concealed++
	b.conceal.fill(pcm[:b.frame])
	return Concealed
}

// produce decodes or conceals until a frame is there; false if nothing is left.
func (b *Buffer) produce() bool {
	for b.have < b.frame {
		p := &b.packets[b.next%slots]
		here := p.full && p.seq == b.next
		switch {
		case here && len(p.payload) == 0:
			p.full = false
			b.next++
		case here:
			b.playPacket(p)
		case behind(b.next, b.highest) || b.next == b.highest:
			b.playLoss()
		default:
			return false
		}
	}
	return true
}

// playPacket plays the packet that is next, or the silence before it.
func (b *Buffer) playPacket(p *packet) {
	if gap := int32(p.ts - b.nextTS); gap > 0 {
		b.playGap(uint32(gap))
		return
	}
	p.full = false
	b.next++
	room := b.pcm[b.have:]
	n, err := b.config.Decoder.Decode(room, p.payload)
	if err != nil || n == 0 {
		b.stats.Malformed++
		b.nextTS = p.ts + b.step
		return
	}
	b.conceal.resume(room[:n])
	b.conceal.heard(room[:n])
	b.have += n
	b.status = Voice
	b.step = uint32(n * b.config.ClockRate / b.config.SampleRate)
	b.nextTS = p.ts + b.step
	if p.seq == b.highest {
		b.endTS = b.nextTS
	}
}

// playGap plays what the sender left out, a frame at a time.
func (b *Buffer) playGap(units uint32) {
	second := uint32(b.config.ClockRate)
	if units > second {
		b.nextTS += units - second // a long pause is not made up for sample by sample
		units = second
	}
	step := min(units, second/50)
	n := int(step) * b.config.SampleRate / b.config.ClockRate
	clear(b.pcm[b.have : b.have+n])
	b.conceal.heard(b.pcm[b.have : b.have+n])
	b.have += n
	b.nextTS += step
	b.status = Silence
}

// playLoss makes up one packet that is missing while later ones are there.
func (b *Buffer) playLoss() {
	n := int(b.step) * b.config.SampleRate / b.config.ClockRate
	n = min(max(n, 1), len(b.pcm)-b.have)
	lost := b.pcm[b.have : b.have+n]
	if c, ok := b.config.Decoder.(codec.Concealer); !ok || c.Conceal(lost) != n {
		b.conceal.fill(lost)
	}
	b.have += n
	b.next++
	b.nextTS += b.step
	b.status = Concealed
	b.stats.Lost++
	b.stats.Concealed++
}

// Stats is a snapshot.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Delay, s.Target = b.held(), b.delay.target
	s.Jitter = b.report.jitterTime(b.config.ClockRate)
	return s
}

// Report is the receiver's part of an RTCP report; it begins the next interval.
func (b *Buffer) Report() Report { return b.report.report() }
