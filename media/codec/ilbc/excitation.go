package ilbc

// excitation is the residual of a frame as the decoder has it. It grows from the start
// state on: first by the short block, then on to the frame's end, then back to its
// beginning (section 4.3). The encoder builds it too, for each block is made of what is
// there already.
type excitation struct {
	mode     *mode
	samples  [maxSamples]float64
	from, to int // what is there
	book     codebook
}

// block is one step of this.
type block struct {
	from, to int
	backward bool // it is coded with time reversed, for what it is made of comes after it
}

// begin builds the start state.
func (e *excitation) begin(m *mode, f *frame, sent []filter) {
	e.mode = m
	e.from, e.to = f.statePlace(m)
	f.buildState(e.samples[e.from:e.to], &sent[e.from/subBlock])
}

// next is the block after those that are there; index counts from 0. Its codebook is
// ready then.
func (e *excitation) next(index int) block {
	var b block
	switch {
	case index == 0 && e.from%subBlock == 0: // the state is the first part of its two sub-blocks
		b = block{from: e.to, to: e.from + 2*subBlock}
	case index == 0:
		b = block{from: e.to - 2*subBlock, to: e.from, backward: true}
	case e.to < e.mode.samples:
		b = block{from: e.to, to: e.to + subBlock}
	default:
		b = block{from: e.from - subBlock, to: e.from, backward: true}
	}
	e.remember(b)
	return b
}

// remember fills the codebook's memory with what is next to the block, and zeros where
// nothing is yet (section 3.6.1).
func (e *excitation) remember(b block) {
	memory := e.book.reset(b.to - b.from)
	known := e.samples[e.from:e.to]
	n := min(len(known), len(memory))
	known = known[len(known)-n:]
	if b.backward {
		known = e.samples[e.from:][:n]
	}
	clear(memory[:len(memory)-n])
	b.transfer(memory[len(memory)-n:], known)
}

// transfer copies samples between the frame and the order in which the block is coded.
func (b block) transfer(dst, src []float64) {
	if !b.backward {
		copy(dst, src)
		return
	}
	for i, x := range src {
		dst[len(src)-1-i] = x
	}
}

// add builds the block that next has told.
func (e *excitation) add(b block, code *code) {
	e.book.expand()
	var buffer [subBlock]float64
	samples := buffer[:b.to-b.from]
	e.book.build(samples, code)
	b.transfer(e.samples[b.from:b.to], samples)
	e.from, e.to = min(e.from, b.from), max(e.to, b.to)
}

// decode builds a whole frame.
func (e *excitation) decode(m *mode, f *frame, sent []filter) []float64 {
	e.begin(m, f, sent)
	for i := range m.blocks() {
		c := f.codes[i]
		if i == 1 {
			c.widen()
		}
		e.add(e.next(i), &c)
	}
	return e.samples[:m.samples]
}

// The first sub-block after the start state has little behind it. Its vectors of the
// second and third stage are fewer, 44 plain ones of a section in place of 108, and sent
// in 7 bits: narrow and widen go from their indices to those and back (table 3.1).
const (
	fewPlain, allPlain = 44, 108
	allSection         = 128
)

func (c *code) narrow() {
	for stage := 1; stage < stages; stage++ {
		switch i := c.vectors[stage]; {
		case i >= allSection+allPlain:
			c.vectors[stage] = i - 2*(allPlain-fewPlain)
		case i >= allPlain:
			c.vectors[stage] = i - (allPlain - fewPlain)
		}
	}
}

func (c *code) widen() {
	for stage := 1; stage < stages; stage++ {
		switch i := c.vectors[stage]; {
		case i >= allPlain:
			c.vectors[stage] = i + 2*(allPlain-fewPlain)
		case i >= fewPlain:
			c.vectors[stage] = i + allPlain - fewPlain
		}
	}
}
