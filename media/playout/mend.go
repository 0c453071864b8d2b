package playout

// mend has the codec fill a gap where packets were lost, one packet at a time: from the copy
// that the packet after the gap may hold (FEC), else by its own concealment. Unlike hide it
// does so in the codec's frames, wherever ours begin, and only once the packet after the gap
// is there. It says whether it did.
func (b *Buffer) mend(front *packet, next int64) bool {
	if front == nil || b.native == nil || b.filled > 0 || !b.damaged && !b.numbers.missing(b.played, front.sequence) {
		return false
	}
	n := int(min(front.position-next, b.packet, int64(len(b.ahead))))
	if b.recoverer != nil && front.position-next == int64(n) && b.recoverer.Recover(b.ahead[:n], b.queue.payload(front)) == n {
		b.filled = n
		b.stats.Recovered += b.duration(int64(n))
		return true
	}
	if b.conceal.exhausted() || b.native.Conceal(b.ahead[:n]) != n {
		return false
	}
	b.filled, b.made = n, n
	return true
}

// playMade plays what mend has made up, and returns how much that was: 0 if the next sample
// is of a packet.
func (b *Buffer) playMade(pcm []int16) int {
	n := copy(pcm, b.ahead[:b.made])
	if n == 0 {
		return 0
	}
	b.use(n)
	if b.conceal.active {
		b.conceal.join(pcm[:n])
	}
	b.conceal.skip(pcm[:n])
	return n
}

// use takes samples that were played out of those that are ready.
func (b *Buffer) use(n int) {
	copy(b.ahead, b.ahead[n:b.filled])
	b.filled -= n
	b.made = max(0, b.made-n)
	b.play += int64(n)
}
