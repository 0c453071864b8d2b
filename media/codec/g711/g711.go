package g711

import "errors"

var errBuffer = errors.New("g711: destination shorter than source")

// Law is one of the two companding laws. It has no state: one Law serves any
// number of streams at once, as encoder and as decoder.
type Law struct {
	linear  [256]int16
	encoded [1 << 14]byte // by the upper 14 bits of a sample
}

// MuLaw makes the law of North America and Japan, PCMU.
func MuLaw() *Law { return newLaw(muToLinear, linearToMu) }

// ALaw makes the law of the rest of the world, PCMA.
func ALaw() *Law { return newLaw(aToLinear, linearToA) }

// newLaw tabulates a law. No code boundary of either law is finer than 4, so 14
// bits decide the code.
func newLaw(toLinear func(byte) int16, toCode func(int16) byte) *Law {
	l := &Law{}
	for i := range l.linear {
		l.linear[i] = toLinear(byte(i))
	}
	for i := range l.encoded {
		l.encoded[i] = toCode(int16(uint16(i << 2)))
	}
	return l
}

// Encode writes one octet per sample. It never fails if dst is as long as pcm.
func (l *Law) Encode(dst []byte, pcm []int16) (int, error) {
	if len(dst) < len(pcm) {
		return 0, errBuffer
	}
	dst = dst[:len(pcm)]
	for i, s := range pcm {
		dst[i] = l.encoded[uint16(s)>>2]
	}
	return len(pcm), nil
}

// Decode writes one sample per octet. Every octet is valid.
func (l *Law) Decode(pcm []int16, payload []byte) (int, error) {
	if len(pcm) < len(payload) {
		return 0, errBuffer
	}
	pcm = pcm[:len(payload)]
	for i, b := range payload {
		pcm[i] = l.linear[b]
	}
	return len(payload), nil
}

// Samples is how many samples a payload of so many octets has.
func (l *Law) Samples(octets int) int { return octets }
