package mixer

// unity is a gain of 0 dB; gains are in 1/65536.
const unity = 1 << 16

// duck is how far the mix is turned down under a sound of one's own: 12 dB.
const duck = unity / 4

// MaxVolume and MinVolume bound how far a caller may turn what it hears or says:
// steps of 3 dB.
const (
	MaxVolume = 4
	MinVolume = -4
)

// volumeOf is the gain of a step.
func volumeOf(step int) int {
	up := [...]int{unity, 92_572, 130_762, 184_706, 260_904}
	down := [...]int{unity, 46_396, 32_846, 23_253, 16_462}
	if step < 0 {
		return down[min(-step, -MinVolume)]
	}
	return up[min(step, MaxVolume)]
}

// ramp is a gain that goes straight from one value to another over the first samples of a
// frame and stays there, so that it does not click.
type ramp struct{ from, to, over int }

// fadeTime is how long a gain takes to change: 5 ms, as a part of a second.
const fadeTime = 200

func fade(from, to, rate int) ramp { return ramp{from, to, rate / fadeTime} }

func (r ramp) at(i int) int {
	if i >= r.over {
		return r.to
	}
	return r.from + (r.to-r.from)*(i+1)/r.over
}

// still says that the gain is unity throughout.
func (r ramp) still() bool { return r.from == unity && r.to == unity }

func (r ramp) apply(pcm []int32) {
	if r.still() {
		return
	}
	for i, v := range pcm {
		pcm[i] = int32(int(v) * r.at(i) >> 16)
	}
}

// scale puts pcm into out at the gain, and gives the highest magnitude.
func (r ramp) scale(out []int32, pcm []int16) int {
	changing := min(r.over, len(pcm))
	if r.from == r.to {
		changing = 0
	}
	out = out[:len(pcm)]
	for i, v := range pcm[:changing] {
		out[i] = int32(int(v) * r.at(i) >> 16)
	}
	for i := changing; i < len(pcm); i++ {
		out[i] = int32(int(pcm[i]) * r.to >> 16)
	}
	return peakOf(out)
}

// settling is the last part of a frame, 2.5 ms, that a fade to silence leaves empty: so
// much may be under way in a resampler.
const settling = 400

// fadeOut brings a frame to silence before its end.
func fadeOut(pcm []int32, rate int) {
	n := len(pcm) - rate/settling
	clear(pcm[n:])
	from := n - rate/fadeTime
	ramp{unity, 0, rate / fadeTime}.apply(pcm[from:n])
}

func saturate(v int32) int16 {
	return int16(min(max(v, -32768), 32767))
}
