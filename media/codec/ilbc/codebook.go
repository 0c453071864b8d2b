package ilbc

// Sizes of section 3.6.3.
const (
	maxMemory   = 147 // samples behind a sub-block that its code vectors are taken from
	shortMemory = 85  // the same for the short block
	shortestLag = 20  // of a vector that is longer than its lag
	blend       = 5   // samples over which such a vector goes over into its repetition
)

// codebook has all vectors that a block may be made of: stretches of what is next to it in
// the frame, its memory, and the same of the memory after a filter.
//
// Index 0 is the stretch that ends with the memory, index 1 begins one sample before it,
// and so on. For whole sub-blocks there follow vectors with lags of 20 to 39, shorter than
// themselves, which repeat their beginning. Then comes all that again with the filter.
type codebook struct {
	length  int // of the vectors
	size    int // of the memory
	buffers [2][maxMemory]float64
	repeat  [subBlock]float64 // the vector that view made last
}

// reset empties the codebook, for a block of a length, and returns the memory to be
// filled in: oldest first, the last sample is next to the block.
func (c *codebook) reset(length int) (memory []float64) {
	c.length, c.size = length, maxMemory
	if length != subBlock {
		c.size = shortMemory
	}
	return c.memory()
}

func (c *codebook) memory() []float64 { return c.buffers[0][:c.size] }

// expand makes the second section of the memory (section 3.6.3.2).
func (c *codebook) expand() {
	const behind = len(expansion)/2 - 1
	memory := c.memory()
	for i := range memory {
		sum := 0.0
		for k, weight := range expansion {
			if j := i - behind + k; j >= 0 && j < len(memory) {
				sum += weight * memory[j]
			}
		}
		c.buffers[1][i] = sum
	}
}

// plain is how many vectors of a section are stretches of the memory as it is.
func (c *codebook) plain() int { return c.size - c.length + 1 }

// section is how many vectors a section has: one for each lag.
func (c *codebook) section() int { return c.size - c.shortest() + 1 }

func (c *codebook) shortest() int {
	if c.length == subBlock {
		return shortestLag
	}
	return c.length
}

// lag is how long before the block a vector of the first section begins.
func (c *codebook) lag(index int) int {
	if index < c.plain() {
		return c.length + index
	}
	return shortestLag + index - c.plain()
}

// index is the inverse of lag.
func (c *codebook) index(lag int) int {
	if lag >= c.length {
		return lag - c.length
	}
	return c.plain() + lag - shortestLag
}

// view is a vector. It is valid until the next call. An index that no encoder sends, which
// a short block of 23 samples has room for, is the last vector.
func (c *codebook) view(index int) []float64 {
	memory := c.memory()
	if n := c.section(); index >= n {
		memory, index = c.buffers[1][:c.size], min(index-n, n-1)
	}
	lag := c.lag(index)
	if lag < c.length {
		return c.repeated(memory, lag)
	}
	return memory[c.size-lag:][:c.length]
}

// repeated is the vector of a lag shorter than itself: the last samples of the memory,
// then the same once more, with five samples that lead from the one to the other
// (section 3.6.3.3).
func (c *codebook) repeated(memory []float64, lag int) []float64 {
	end := len(memory)
	copy(c.repeat[:lag], memory[end-lag:])
	for i := range blend {
		rise := float64(i) / blend
		c.repeat[lag-blend+i] = (1-rise)*memory[end-blend+i] + rise*memory[end-lag-blend+i]
	}
	copy(c.repeat[lag:], memory[end-lag:])
	return c.repeat[:]
}

// build writes the block that a code stands for (section 4.4).
func (c *codebook) build(block []float64, code *code) {
	clear(block)
	for stage, gain := range code.values() {
		for i, x := range c.view(int(code.vectors[stage])) {
			block[i] += gain * x
		}
	}
}
