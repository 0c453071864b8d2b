package playout

// Advance lets the next 20 ms pass unheard: what would have been played is thrown away
// without being decoded. After it, Read begins as after a silence.
//
// A decoder with memory has missed what was thrown away, and takes some frames to find
// back in step.
func (b *Buffer) Advance() {
	b.conceal.forget()
	if b.started {
		b.filled = 0
		b.silent = true
		b.settle()
		b.pass()
	}
	b.clock += int64(b.frame)
	b.silent = true
	b.stats.Passed++
}

// pass moves on by a frame. As in Read, time stands still while nothing waits, for what is
// late may still come.
func (b *Buffer) pass() {
	if b.queue.front() == nil {
		b.starved += int64(b.frame)
		return
	}
	b.play += int64(b.frame)
	for front := b.queue.front(); front != nil && front.position+b.packet <= b.play; front = b.queue.front() {
		b.played, b.end, b.damaged = front.sequence, front.position+b.packet, false
		b.queue.pop()
	}
}

// forget has nothing to go on with: what comes next begins.
func (c *concealer) forget() {
	if c.silent && !c.active {
		return
	}
	c.active, c.silent, c.made, c.release = false, true, 0, 0
	clear(c.history)
}
