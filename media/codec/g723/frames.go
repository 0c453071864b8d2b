package g723

// The kinds of frames, by the two low bits of the first octet.
const (
	highRate = iota
	lowRate
	comfortNoise
	notSent
)

// frameOctets are how long a frame is, by its kind.
var frameOctets = [4]int{24, 20, 4, 1}

// frameLength is that of 30 ms in samples.
const frameLength = 240

// maxFrames are in a packet: 60 ms.
const maxFrames = 2

// lostFrame has a forbidden code for its first pitch lag, 127: G.723.1 has a decoder treat it
// as a frame that was lost.
var lostFrame = [24]byte{3: 0xfc, 4: 0x01}

// silentFrame is a frame at 6.3 kbit/s; what is in it does not matter.
var silentFrame = [24]byte{}

// countFrames says how many frames a payload has. ok is false if it has none, too many, or
// a part of one.
func countFrames(payload []byte) (n int, ok bool) {
	for len(payload) > 0 {
		size := frameOctets[payload[0]&3]
		if size > len(payload) {
			return 0, false
		}
		payload = payload[size:]
		n++
	}
	return n, n > 0 && n <= maxFrames
}

// Of a frame of speech, by G.723.1's table of bits: pitch lags of 7 bits for two subframes
// each, and gains of 12 bits for each subframe. They begin at these bits, counted from the
// least significant bit of the first octet.
const (
	firstLag  = 26
	secondLag = 35
	firstGain = 44

	mostLag   = 123     // codes above it are forbidden
	gainSteps = 24      // of the fixed codebook, for each gain of the adaptive one
	gains     = 170     // of the adaptive codebook
	shortGain = 85      // and at 6.3 kbit/s where the lag is shorter than a subframe
	shortLag  = 58 - 18 // codes below it are such lags: 18 samples are added to a code
)

// damaged says whether a frame has a code that no encoder sends.
func damaged(frame []byte) bool {
	kind := frame[0] & 3
	if kind > lowRate {
		return false
	}
	for subframe := range 4 {
		lag := number(frame, firstLag+subframe/2*(secondLag-firstLag), 7)
		gain, most := number(frame, firstGain+12*subframe, 12), gains*gainSteps
		if kind == highRate && lag < shortLag {
			gain, most = gain&0x7ff, shortGain*gainSteps
		}
		if lag > mostLag || gain >= most {
			return true
		}
	}
	return false
}

// number reads bits, least significant first.
func number(frame []byte, from, bits int) (v int) {
	for i := range bits {
		at := from + i
		v |= int(frame[at/8]>>(at%8)&1) << i
	}
	return v
}
