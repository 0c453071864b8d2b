package playout

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

// Frame is how much Read gives.
const Frame = 20 * time.Millisecond

// MaxDelay is the most that packets are held back for others, where a Config says no less.
const MaxDelay = 200 * time.Millisecond

const (
	longest      = 60 * time.Millisecond // the most audio that a packet may hold
	longestShift = 10 * time.Millisecond // the most that is put in or taken out at once

	// farOff is a transit so far from the base that it is not jitter: the
	// timestamps have jumped.
	farOff = time.Second
	// giveUp is how many packets in a row may come too late before the timeline
	// is laid anew: the path, or the sender's clock, is another one.
	giveUp = 5
)

// Config describes a stream. What is left zero has the default.
type Config struct {
	Decoder    codec.Decoder // if it is a codec.Concealer or Recoverer too, it fills gaps itself
	ClockRate  int           // Hz of the RTP timestamp, 8000
	SampleRate int           // Hz of the PCM, 8000
	BitRate    int           // bit/s of the payloads at most, 64000; more than that is heard with gaps
	MinDelay   time.Duration // the least that is aimed at, 20 ms
	MaxDelay   time.Duration // the most, MaxDelay, which is also the bound
}

// normal fills in defaults and mends what cannot be meant.
func (c Config) normal() Config {
	if c.ClockRate < 100 {
		c.ClockRate = 8000
	}
	if c.SampleRate < 8000 || c.SampleRate%50 != 0 {
		c.SampleRate = 8000
	}
	if c.BitRate <= 0 {
		c.BitRate = 64000
	}
	c.BitRate = min(c.BitRate, 512000)
	if c.MaxDelay <= 0 || c.MaxDelay > MaxDelay {
		c.MaxDelay = MaxDelay
	}
	if c.MinDelay <= 0 {
		c.MinDelay = Frame
	}
	c.MinDelay = min(c.MinDelay, c.MaxDelay)
	return c
}

// Buffer is the receiving end of one stream. Make it with New.
type Buffer struct {
	config    Config
	frame     int   // samples
	far       int64 // samples of farOff
	bound     int64 // samples: the delay at which audio is skipped
	shift     int   // samples of longestShift
	native    codec.Concealer
	recoverer codec.Recoverer
	sizer     codec.Sizer
	queue     queue
	numbers   sequence
	delay     estimator
	conceal   concealer
	jitter    jitter
	stats     Stats // counts only

	// The sender's clock, extended to 64 bits.
	stamped bool
	stamp   uint32
	time    int64 // of stamp, in its units

	started bool
	clock   int64   // samples read since New
	play    int64   // position of the next sample to be played, on the sender's clock
	end     int64   // position after the last sample that was received and played
	ahead   []int16 // decoded and not yet played, from play on
	filled  int     // samples in ahead
	made    int     // of those, how many from the first on the codec has made up
	played  int64   // sequence number of the last packet that was decoded
	damaged bool    // a packet after it could not be decoded
	packet  int64   // samples of the last packet that was decoded
	starved int64   // samples made up since the queue ran dry, while play stood still
	silent  bool    // the last frame was silence
	pausing bool    // nothing is to come after what waits

	late  int  // packets in a row that came too late
	odd   bool // the last packet was far off
	wait  int  // frames before the delay may be shifted again
	tried int  // frames for which a shift was wanted and found no good place
	loud  float64
}

// New makes a buffer. It allocates later on only while the network asks for more delay, or
// the sender for longer packets, than ever before.
func New(config Config) *Buffer {
	c := config.normal()
	b := &Buffer{
		config: c, frame: int(samples(Frame, c.SampleRate)), far: samples(farOff, c.SampleRate),
		queue: newQueue(c.BitRate),
		bound: samples(c.MaxDelay+Frame, c.SampleRate), shift: int(samples(longestShift, c.SampleRate)),
		delay: newEstimator(c.SampleRate, c.MinDelay, c.MaxDelay), conceal: newConcealer(c.SampleRate),
		packet: samples(Frame, c.SampleRate),
	}
	b.native, _ = c.Decoder.(codec.Concealer)
	b.recoverer, _ = c.Decoder.(codec.Recoverer)
	if b.sizer, _ = c.Decoder.(codec.Sizer); b.sizer == nil || b.native != nil {
		b.ahead = make([]int16, samples(Frame+longestShift+longest, c.SampleRate))
	}
	return b
}

// Push takes a packet: sequence number, timestamp and payload as in RTP, and when
// it arrived, on any clock that does not go back. The payload is copied.
func (b *Buffer) Push(number uint16, timestamp uint32, payload []byte, arrival time.Duration) {
	extended, ok := b.count(number)
	if !ok {
		return
	}
	b.jitter.observe(timestamp, arrival, b.config.ClockRate)
	if len(payload) == 0 || len(payload) > maxPayload {
		b.stats.Malformed++
		return
	}
	position := b.position(timestamp)
	if !b.started {
		b.start(extended, position)
	}
	if !b.plausible(extended, position) {
		return
	}
	late := position+b.packet <= b.play+int64(b.filled)
	b.delay.observe(b.clock-position, b.clock, late)
	if !late {
		b.late = 0
		b.enqueue(extended, position, payload)
		return
	}
	b.stats.Late++
	b.late++
	b.numbers.tooLate(extended)
	if b.late >= giveUp && len(b.queue.packets) == 0 && b.filled == 0 && position >= b.end {
		// None comes in time any more, and none of this was played.
		b.restart(extended, position)
		b.delay.observe(b.clock-position, b.clock, false)
	}
}

func (b *Buffer) enqueue(extended, position int64, payload []byte) {
	b.pausing = false
	evicted := uint64(0)
	for ; b.queue.full(len(payload)); evicted++ {
		b.numbers.tooLate(b.queue.front().sequence)
		b.queue.pop()
	}
	b.queue.insert(extended, position, payload)
	if evicted == 0 {
		return
	}
	// The delay is more than the queue can hold. Go on with what it does hold,
	// or each packet would be given up before its time came.
	b.stats.Discarded += evicted
	if skipped := b.queue.front().position - b.play; skipped > int64(b.filled) {
		b.cut(skipped)
	}
}

// Skip takes the sequence number of a packet of the stream that is not audio,
// such as a telephone event (RFC 4733), so that it does not count as lost.
func (b *Buffer) Skip(number uint16) { b.count(number) }

// Pause takes the sequence number of a packet by which the sender says that it sends no
// audio until it is heard again (RFC 3389): then nothing is missing when nothing comes.
func (b *Buffer) Pause(number uint16) {
	_, b.pausing = b.count(number)
}

// Pass takes note of a packet of audio that is not played here but passed on, for Stats
// and Report.
func (b *Buffer) Pass(number uint16, timestamp uint32, arrival time.Duration) {
	if _, ok := b.count(number); ok {
		b.jitter.observe(timestamp, arrival, b.config.ClockRate)
	}
}

// Reset begins another stream, with another SSRC. What waits is thrown away;
// counts and what is known of the network stay.
func (b *Buffer) Reset() {
	b.numbers.forget()
	b.jitter = jitter{value: b.jitter.value}
	b.renew()
}

// count takes a sequence number. ok is false for a packet that is not to be
// played.
func (b *Buffer) count(number uint16) (extended int64, ok bool) {
	extended, what := b.numbers.take(number)
	switch what {
	case duplicate:
		b.stats.Received++
		b.stats.Duplicate++
		return 0, false
	case stray:
		b.stats.Discarded++
		return 0, false
	case restart:
		b.jitter = jitter{value: b.jitter.value}
		b.renew()
	}
	b.stats.Received++
	return extended, true
}

// renew forgets the timeline.
func (b *Buffer) renew() {
	b.queue.clear()
	b.delay.rebase()
	b.stamped, b.started, b.odd, b.late, b.pausing = false, false, false, 0, false
	b.drop()
}

// position is a timestamp in samples of the sender's clock.
func (b *Buffer) position(timestamp uint32) int64 {
	if !b.stamped {
		b.stamped, b.stamp, b.time = true, timestamp, int64(timestamp)+1<<32
	}
	at := b.time + int64(int32(timestamp-b.stamp))
	if at > b.time {
		b.stamp, b.time = timestamp, at
	}
	position := at * int64(b.config.SampleRate)
	if position < 0 {
		position -= int64(b.config.ClockRate) - 1 // division towards minus infinity
	}
	return position / int64(b.config.ClockRate)
}

// start lays the timeline so that the packet is played after the target delay.
func (b *Buffer) start(extended, position int64) {
	b.started = true
	b.play = position - b.delay.required
	b.end = b.play
	b.played = extended - 1
	b.starved, b.silent, b.damaged = 0, true, false
}

// restart lays it anew for a stream that goes on at another place.
func (b *Buffer) restart(extended, position int64) {
	b.queue.clear()
	b.delay.rebase()
	b.drop()
	b.late, b.odd = 0, false
	b.start(extended, position)
}

// plausible finds timestamps that have jumped. The first packet is not believed;
// the second one begins the timeline anew.
func (b *Buffer) plausible(extended, position int64) bool {
	off := b.delay.above(b.clock - position)
	if off < b.far && off > -b.far {
		b.odd = false
		return true
	}
	if !b.odd && !b.silent {
		b.odd = true
		b.stats.Discarded++
		return false
	}
	b.restart(extended, position)
	return true
}

// drop throws away what was decoded, and hides the seam.
func (b *Buffer) drop() {
	if b.filled > 0 {
		b.conceal.seam()
	}
	b.filled, b.made = 0, 0
}
