package ilbc

import (
	"errors"
	"time"
)

var errLength = errors.New("ilbc: the payload is not whole frames of 38 or 50 octets")

// Decoder is the state of one stream.
type Decoder struct {
	mode       *mode    // of the last frame, or agreed
	agreed     *mode    // for payloads that could be of both
	sent       spectrum // the last one of the frame before
	frame      frame
	excitation excitation
	enhancer   enhancer
	concealer  concealer
	// The filters of the last two sub-blocks, for the enhancer is behind, and of those
	// that are decoded.
	filters [behind + maxSubBlocks]filter
	speech  [order + maxSamples]float64
	output  highPass
	plain   bool // without enhancement and its delay: for comparison with decoders that have none
}

// behind is how many sub-blocks the enhancer can be late.
const behind = 2

// NewDecoder starts a stream with frames of 20 or 30 ms. If the peer sends the others all
// the same, that shows by the length of its payloads.
func NewDecoder(frame time.Duration) (*Decoder, error) {
	m := modeOf(frame)
	if m == nil {
		return nil, errMode(frame)
	}
	d := &Decoder{mode: m, agreed: m, sent: meanSpectrum, enhancer: newEnhancer(), output: newOutputFilter()}
	for i := range d.filters {
		d.filters[i] = filter{1}
	}
	return d, nil
}

// Decode writes the audio of one frame or several. It is 5 ms behind with frames of 20 ms,
// 10 ms with those of 30 ms, for the enhancer looks ahead. A frame that is marked as empty
// is concealed.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	m := modeFor(len(payload), d.agreed)
	if m == nil {
		return 0, errLength
	}
	frames := len(payload) / m.octets
	if len(pcm) < frames*m.samples {
		return 0, errBuffer
	}
	d.mode = m
	for i := range frames {
		out := pcm[i*m.samples:][:m.samples]
		if d.frame.unpack(m, payload[i*m.octets:][:m.octets]) {
			d.decode(out)
		} else {
			d.Conceal(out)
		}
	}
	return frames * m.samples, nil
}

func (d *Decoder) decode(pcm []int16) {
	var spectra [maxSets]spectrum
	for i := range d.mode.sets {
		spectra[i] = received(d.frame.spectra[i])
	}
	filters := d.filters[behind:]
	d.mode.interpolate(filters, &d.sent, spectra[:])
	d.sent = spectra[d.mode.sets-1]
	residual := d.excitation.decode(d.mode, &d.frame, filters)
	d.enhancer.push(residual)
	if d.concealer.lost > 0 {
		d.enhancer.join(len(residual), d.delay())
		d.concealer.lost = 0
	}
	d.play(pcm)
}

// Conceal continues the residual of what was decoded, and fades it out (section 4.5). It
// writes as many samples as fit, in steps of 80, as the enhancer works.
func (d *Decoder) Conceal(pcm []int16) int {
	n := len(pcm) / enhanced * enhanced
	last := d.filters[behind-1]
	for from := 0; from < n; {
		made := min(n-from, d.mode.samples)
		var residual [maxSamples]float64
		d.concealer.fill(residual[:made], &d.enhancer)
		d.enhancer.push(residual[:made])
		for i := range made / subBlock {
			d.filters[behind+i] = last
		}
		d.play(pcm[from : from+made])
		from += made
	}
	return n
}

// play writes the samples whose turn it is, after as many were pushed.
func (d *Decoder) play(pcm []int16) {
	n, delay := len(pcm), d.delay()
	speech := d.speech[:order+n]
	d.enhancer.pull(speech[order:], delay)
	for i := 0; i < n; i += subBlock {
		d.filters[behind+(i-delay)/subBlock].restore(speech[i : i+order+subBlock])
	}
	for i := range pcm {
		pcm[i] = rounded(d.output.next(speech[order+i]))
	}
	copy(d.speech[:order], speech[n:])
	copy(d.filters[:behind], d.filters[n/subBlock:])
}

func (d *Decoder) delay() int {
	if d.plain {
		return 0
	}
	return d.mode.delay
}
