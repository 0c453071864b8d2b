package playout

// Status is what a frame holds.
type Status uint8

const (
	Silence   Status = iota // the sender is silent, has not begun, or is gone for more than 60 ms
	Voice                   // what was sent, or a copy of it that another packet held
	Concealed               // at least a part of it stands in for what is missing
)

// Read plays the next 20 ms: SampleRate/50 samples. A shorter pcm is filled with
// zeros and the time does not go on.
func (b *Buffer) Read(pcm []int16) Status {
	if len(pcm) < b.frame {
		clear(pcm)
		return Silence
	}
	pcm = pcm[:b.frame]
	status := Silence
	if b.started {
		b.settle()
		if b.stretch(pcm) {
			status = Voice
		} else {
			status = b.assemble(pcm)
		}
	} else if b.conceal.fill(pcm) {
		status = Concealed
	}
	b.clock += int64(b.frame)
	b.silent = status == Silence
	switch status {
	case Voice:
		b.stats.Voice++
	case Concealed:
		b.stats.Concealed++
	default:
		b.stats.Silent++
	}
	return status
}

// latency is the delay: how long a packet of the base transit waits.
func (b *Buffer) latency() int64 {
	if !b.started || !b.delay.based {
		return 0
	}
	return b.clock - b.play - b.delay.base
}

// settle moves the timeline where that costs nothing, and cuts the delay where it
// passes its bound.
func (b *Buffer) settle() {
	front := b.queue.front()
	if front == nil {
		return
	}
	if b.starved > 0 {
		// What was made up while the queue was empty stands for what never came.
		// Where the next packet follows at once, nothing was missing: it was
		// late, and the delay has grown by what was made up.
		if gap := front.position - b.play; gap > 0 {
			b.play += min(gap, b.starved)
		}
		b.starved = 0
	}
	if b.silent && b.filled == 0 && front.position > b.play && b.delay.based {
		// Within a silence any delay is as good: take the target, but leave out
		// nothing that was received, nor play anything again.
		b.play = max(b.end, min(b.clock-b.delay.base-b.delay.required, front.position))
	}
	if over := b.latency() - b.bound; over > 0 {
		b.cut(b.latency() - b.delay.required)
	}
}

// cut skips n samples.
func (b *Buffer) cut(n int64) {
	if n < int64(b.filled) {
		b.use(int(n))
		b.conceal.seam()
	} else {
		b.play += n
		b.drop()
	}
}

// assemble fills a frame from what there is, piece by piece: packets need not
// begin or end where frames do.
func (b *Buffer) assemble(pcm []int16) Status {
	status := Silence
	for len(pcm) > 0 {
		n, s := b.piece(pcm)
		pcm = pcm[n:]
		status = max(status, s) // in the order of the constants
	}
	return status
}

// piece writes at least one sample.
func (b *Buffer) piece(pcm []int16) (int, Status) {
	b.decode(len(pcm))
	if n := b.playMade(pcm); n > 0 {
		return n, Concealed
	}
	if b.filled > 0 {
		n := copy(pcm, b.ahead[:b.filled])
		b.use(n)
		b.end = b.play
		b.conceal.join(pcm[:n])
		b.conceal.record(pcm[:n])
		return n, Voice
	}
	front := b.queue.front()
	if front == nil { // nothing yet: late, lost, or not sent
		b.starved += int64(len(pcm))
		if b.pausing {
			b.conceal.fadeOut(pcm)
			return len(pcm), Silence
		}
		return len(pcm), b.hide(pcm)
	}
	n := int(min(int64(len(pcm)), front.position-b.play))
	b.play += int64(n)
	if b.damaged || b.numbers.missing(b.played, front.sequence) {
		return n, b.hide(pcm[:n])
	}
	b.conceal.fadeOut(pcm[:n])
	return n, Silence
}

// hide conceals a loss.
func (b *Buffer) hide(pcm []int16) Status {
	if b.native != nil && len(pcm) == b.frame && !b.conceal.exhausted() {
		if n := b.native.Conceal(pcm); n == len(pcm) {
			b.conceal.skip(pcm)
			return Concealed
		}
	}
	if b.conceal.fill(pcm) {
		return Concealed
	}
	return Silence
}

// decode decodes packets that follow without a gap, or with one that the codec can fill,
// until n samples are ready.
func (b *Buffer) decode(n int) {
	for b.filled < n {
		front := b.queue.front()
		next := b.play + int64(b.filled)
		if front == nil || front.position > next {
			if b.mend(front, next) {
				continue
			}
			return
		}
		room := b.room(len(b.queue.payload(front)))
		got := 0
		if b.config.Decoder != nil {
			var err error
			if got, err = b.config.Decoder.Decode(room, b.queue.payload(front)); err != nil || got < 0 || got > len(room) {
				got = 0
			}
		}
		past := min(next-front.position, int64(got))
		b.damaged = got == 0
		switch {
		case got == 0:
			b.stats.Malformed++
		case past == int64(got):
			b.stats.Discarded++
			b.packet = int64(got)
		default:
			b.packet = int64(got)
			copy(room, room[past:got])
			b.filled += got - int(past)
		}
		b.played = front.sequence
		b.queue.pop()
	}
}

// room is where a payload of so many octets is decoded to.
func (b *Buffer) room(octets int) []int16 {
	if b.sizer != nil {
		most := samples(longest, b.config.SampleRate)
		need := b.filled + min(b.sizer.Samples(octets), int(most))
		if need > len(b.ahead) {
			more := make([]int16, max(need, 2*b.frame))
			copy(more, b.ahead[:b.filled])
			b.ahead = more
		}
	}
	return b.ahead[b.filled:]
}
