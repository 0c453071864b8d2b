package playout

// Any delay below the target is too short: it lets packets come too late. What is
// put in is at least 5 ms, so that it does not flutter about the target.
const (
	tooLong  = 10 // ms of delay over the target from which audio is taken out, as much as one shift may be
	urgent   = 40 // ms off the target from which a fair place will do
	patience = 50 // frames after which any place will do

	goodPlace = 0.85 // correlation of the signal with itself, one shift later
	fairPlace = 0.5

	// After taking out, 100 ms pass before the next: slow down. Putting in goes
	// on in each frame: packets are being lost meanwhile.
	pauseAfterShortening = 5
)

// stretch plays a frame out of more or less audio than it holds, if the delay is
// to be changed and this is a good place. It says whether it did.
func (b *Buffer) stretch(pcm []int16) bool {
	if b.wait > 0 {
		b.wait--
		return false
	}
	perMs := int64(b.config.SampleRate / 1000)
	surplus := b.latency() - b.delay.required
	shorten := surplus > tooLong*perMs
	if !shorten && surplus >= 0 || b.conceal.active || b.silent {
		b.tried = 0
		return false
	}
	need := b.frame
	if shorten {
		need += b.shift
	}
	b.decode(need)
	if b.filled < need || b.made > 0 {
		return false
	}
	lag, ok := b.place(max(surplus, -surplus) > urgent*perMs)
	if !ok {
		b.tried++
		return false
	}
	b.tried = 0
	used := 0
	if shorten {
		used = takeOut(pcm, b.ahead, lag)
		b.stats.Shortened += b.duration(int64(lag))
		b.wait = pauseAfterShortening
	} else {
		used = putIn(pcm, b.ahead, lag)
		b.stats.Stretched += b.duration(int64(lag))
	}
	b.use(used)
	b.end = b.play
	b.conceal.record(pcm)
	return true
}

// place finds by how many samples the coming frame may be shifted against itself
// unheard: where it is quiet by any number, else by a multiple of its pitch.
func (b *Buffer) place(inNeed bool) (lag int, ok bool) {
	frame := b.ahead[:b.frame]
	energy := 0.0
	for _, s := range frame {
		energy += float64(s) * float64(s)
	}
	energy /= float64(len(frame))
	b.loud = max(energy, b.loud*0.995)
	if energy < 30*30 || energy < b.loud*0.003 { // 25 dB under the loudest of late
		return b.shift, true
	}
	least := b.shift / 2
	lag, correlation := similarity(frame, least, b.shift, b.shift, max(1, b.config.SampleRate/4000))
	return lag, correlation > goodPlace || inNeed && correlation > fairPlace || b.tried > patience
}

// takeOut writes a frame that begins as x and goes on as x lag samples later, and
// returns how much of x is used up.
func takeOut(frame, x []int16, lag int) int {
	for i := range frame {
		frame[i] = x[lag+i]
		if i < lag {
			frame[i] = between(x[i], x[lag+i], i, lag)
		}
	}
	return len(frame) + lag
}

// putIn writes a frame in which lag samples of x are heard twice, and returns how
// much of x is used up. lag is at most half of the frame.
func putIn(frame, x []int16, lag int) int {
	for i := range frame {
		switch {
		case i < lag:
			frame[i] = x[i]
		case i < 2*lag:
			frame[i] = between(x[i], x[i-lag], i-lag, lag)
		default:
			frame[i] = x[i-lag]
		}
	}
	return len(frame) - lag
}

// between goes from a to b in n steps; i is the step.
func between(a, b int16, i, n int) int16 {
	return int16(int(a) + (int(b)-int(a))*(i+1)/(n+1))
}
