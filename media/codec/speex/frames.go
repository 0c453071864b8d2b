package speex

// Sizes in bits of what a payload is made of, headers included, by the Speex manual's
// tables of bit allocation: a narrowband frame by its mode, of which there
// are nine, and the layer that makes it wideband by its mode. 0: no such mode.
var (
	frameBits = [16]int{5, 43, 119, 160, 220, 300, 364, 492, 79}
	layerBits = [8]int{4, 36, 112, 192, 352}
	// requestBits are those of a request from one codec to the other, after its code.
	requestBits = [16]int{1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64}
)

// Modes that are no frame.
const (
	modeUser       = 13 // a message of the application
	modeRequest    = 14
	modeTerminator = 15
)

// maxLayers that follow a narrowband frame: wideband, and ultra-wideband.
const maxLayers = 2

// countFrames says how many whole frames a payload has. ok is false if it is no Speex.
func countFrames(payload []byte) (n int, ok bool) {
	b := bits{octets: payload}
	for b.left() >= 5 {
		if b.take(1) == 1 {
			return n, false // a layer that no frame came before
		}
		switch mode := b.take(4); {
		case mode == modeTerminator:
			return n, true
		case mode == modeRequest:
			b.skip(requestBits[b.take(4)])
			continue
		case mode == modeUser:
			// libspeex skips a bit more than the manual has; nobody is known to send these.
			b.skip(5 + 8*b.take(4))
			continue
		case frameBits[mode] == 0:
			return n, false
		default:
			b.skip(frameBits[mode] - 5)
		}
		if !b.skipLayers() {
			return n, false
		}
		if b.left() < 0 {
			return n, n > 0 // the last frame is cut off
		}
		n++
	}
	return n, true
}

// skipLayers passes over what makes a narrowband frame wideband.
func (b *bits) skipLayers() bool {
	for range maxLayers {
		if b.left() < 4 || b.peek() == 0 {
			return true
		}
		b.skip(1)
		size := layerBits[b.take(3)]
		if size == 0 {
			return false
		}
		b.skip(size - 4)
	}
	return b.left() < 1 || b.peek() == 0
}

// bits reads a payload, most significant bit first.
type bits struct {
	octets []byte
	at     int
}

// left is how many bits there are still; negative if more were skipped than there were.
func (b *bits) left() int { return 8*len(b.octets) - b.at }

func (b *bits) skip(n int) { b.at += n }

func (b *bits) peek() int {
	if b.left() <= 0 {
		return 0
	}
	return int(b.octets[b.at/8]>>(7-b.at%8)) & 1
}

// take reads n bits; after the end they are zero.
func (b *bits) take(n int) (v int) {
	for range n {
		v = v<<1 | b.peek()
		b.at++
	}
	return v
}
