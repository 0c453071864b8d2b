package lpc

import "math"

const (
	// ramp is for how many samples the filter goes over from one frame to the next.
	ramp = 80
	// shortestPeriod bounds what a payload can ask for.
	shortestPeriod = 4
	// loudest is beyond what the filter can hold of any voice.
	loudest = 1e3
)

// voice is the filter and what drives it.
type voice struct {
	now    parameters
	memory [order + 1]float64 // of the lattice, b
	wait   float64            // samples until the next pulse
	noise  uint32             // state of the generator, never 0
}

// speak makes one frame.
func (v *voice) speak(pcm *[FrameSamples]int16, next *parameters) {
	gain := (next.gain - v.now.gain) / ramp
	var turn [order]float64
	for i := range turn {
		turn[i] = (next.coefficient[i] - v.now.coefficient[i]) / ramp
	}
	if v.now.period == 0 {
		v.wait = 0
	}
	v.now.period = next.period
	for i := range pcm {
		if i < ramp {
			v.now.gain += gain
			for j, t := range turn {
				v.now.coefficient[j] += t
			}
		}
		s := v.filter(v.now.gain * v.excite())
		pcm[i] = int16(math.Round(max(-32768, min(32768*s, 32767))))
	}
	v.now = *next
	v.settle()
}

// excite is what drives the filter. Pulses and noise are equally strong: over the
// window their energy is 1.
func (v *voice) excite() float64 {
	if v.now.period == 0 {
		return math.Sqrt(3.0/window) * v.random()
	}
	v.wait--
	if v.wait > 0 {
		return 0
	}
	period := max(v.now.period, shortestPeriod)
	v.wait += period
	return math.Sqrt(period / window)
}

// random is -1 to 1, by a generator of Marsaglia's.
func (v *voice) random() float64 {
	v.noise ^= v.noise << 13
	v.noise ^= v.noise >> 17
	v.noise ^= v.noise << 5
	return float64(int32(v.noise)) / (1 << 31)
}

// filter is the all-pole lattice.
func (v *voice) filter(forward float64) float64 {
	for j := order - 1; j >= 0; j-- {
		k, backward := v.now.coefficient[j], v.memory[j]
		forward -= k * backward
		v.memory[j+1] = backward + k*forward
	}
	v.memory[0] = forward
	return forward
}

// settle begins anew where a payload that no encoder made has driven the filter
// beyond bounds, or it would be loud for long.
func (v *voice) settle() {
	for _, m := range v.memory {
		if !(math.Abs(m) < loudest) {
			v.memory = [order + 1]float64{}
			return
		}
	}
}
