package ilbc

// near is how many lags of the filtered section are tried, around the best lag of the
// plain one.
const near = 34

// search finds the code of a block: vector by vector, each the one that takes the most
// energy off what is left of the target (section 3.6.4). All that in the weighted
// domain: memory and target have passed the weighting filter.
type search struct {
	book    codebook // of the weighted memory
	target  [subBlock]float64
	inverse [2 * allSection]float64 // 1 / energy of the vectors
}

// match is the best vector so far.
type match struct {
	index             int
	gain, improvement float64
}

// run finds the code of a target. Memory is that of the block's codebook; reach is how
// many plain vectors may be chosen, by stage.
func (s *search) run(memory, target []float64, weighting *filter, reach [stages]int) (c code) {
	s.weigh(memory, target, weighting)
	s.measure()
	left := s.target[:len(target)]
	wanted := energy(left)
	var coded [subBlock]float64
	gain := 1.0
	for stage := range stages {
		best := s.best(left, stage == 0, reach[stage])
		c.vectors[stage] = uint8(best.index)
		c.gains[stage], gain = quantizeGain(stage, best.gain, gain)
		for i, x := range s.book.view(best.index) {
			coded[i] += gain * x
			left[i] -= gain * x
		}
	}
	c.raiseGain(wanted, energy(coded[:len(target)]))
	return c
}

// weigh filters memory and target, one after the other (section 3.6.2).
func (s *search) weigh(memory, target []float64, weighting *filter) {
	var buffer [order + maxMemory + subBlock]float64
	n := order + len(memory)
	copy(buffer[order:], memory)
	copy(buffer[n:], target)
	weighting.restore(buffer[:n+len(target)])
	copy(s.book.reset(len(target)), buffer[order:n])
	s.book.expand()
	copy(s.target[:], buffer[n:n+len(target)])
}

// measure computes the energies: of neighbours in the memory from one another.
func (s *search) measure() {
	b := &s.book
	for i := range s.book.buffers {
		memory, base := b.buffers[i][:b.size], i*b.section()
		e := energy(memory[b.size-b.length:])
		for k := range b.plain() {
			if k > 0 {
				in, out := memory[b.size-b.length-k], memory[b.size-k]
				e += in*in - out*out
			}
			s.inverse[base+k] = invert(e)
		}
		for k := b.plain(); k < b.section(); k++ {
			s.inverse[base+k] = invert(energy(b.view(base + k)))
		}
	}
}

// invert is 0 for vectors that are nothing but zeros.
func invert(e float64) float64 {
	if e < tiny {
		return 0
	}
	return 1 / e
}

// best searches the plain section, and then the filtered one around what was best in it.
func (s *search) best(target []float64, positive bool, reach int) match {
	var m match
	for i := range reach {
		s.try(&m, i, target, positive)
	}
	for i := s.book.plain(); i < s.book.section(); i++ {
		s.try(&m, i, target, positive)
	}
	lag := max(s.book.shortest(), min(s.book.lag(m.index)-near/2, s.book.length+reach-near))
	for i := range near {
		s.try(&m, s.book.section()+s.book.index(lag+i), target, positive)
	}
	return m
}

func (s *search) try(m *match, index int, target []float64, positive bool) {
	similarity := dot(target, s.book.view(index))
	if positive && similarity <= 0 {
		return
	}
	gain := similarity * s.inverse[index]
	if improvement := similarity * gain; improvement > m.improvement && gain < maxGain && gain > -maxGain {
		*m = match{index: index, gain: gain, improvement: improvement}
	}
}

// reachOf is how many plain vectors may be chosen for a block, counted from 0, which is
// the short one (table 3.1).
func reachOf(index int) [stages]int {
	switch index {
	case 0:
		return [stages]int{58, 58, 58}
	case 1:
		return [stages]int{allPlain, fewPlain, fewPlain}
	}
	return [stages]int{allPlain, allPlain, allPlain}
}
