package ilbc

import (
	"errors"
	"fmt"
	"math"
	"time"
)

var (
	errBuffer = errors.New("ilbc: destination too short")
	errPCM    = errors.New("ilbc: the samples are not whole frames")
)

// noticed is how much of a resonance the weighting filter keeps: there, errors are heard
// less (section 3.4).
const noticed = 0.4222

// Encoder is the state of one stream.
type Encoder struct {
	mode     *mode
	input    highPass
	analyser analyser

	exact, sent         spectrum // the last ones of the frame before, as measured and as sent
	speech              [order + maxSamples]float64
	residual            [maxSamples]float64
	filters, weightings [maxSubBlocks]filter // of the sub-blocks: as sent, and for the weighting of errors
	frame               frame
	excitation          excitation
	search              search
}

// NewEncoder starts a stream with frames of 20 or 30 ms.
func NewEncoder(frame time.Duration) (*Encoder, error) {
	m := modeOf(frame)
	if m == nil {
		return nil, errMode(frame)
	}
	return &Encoder{
		mode: m, input: newInputFilter(), analyser: analyser{windows: newWindows(), last: meanSpectrum},
		exact: meanSpectrum, sent: meanSpectrum,
	}, nil
}

func errMode(frame time.Duration) error {
	return fmt.Errorf("ilbc: frames of %v; there are those of 20ms and of 30ms", frame)
}

// Encode writes the frames of pcm, 160 or 240 samples each, to dst: 38 or 50 octets
// each.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	m := e.mode
	frames := len(pcm) / m.samples
	if len(pcm)%m.samples != 0 {
		return 0, errPCM
	}
	if len(dst) < frames*m.octets {
		return 0, errBuffer
	}
	for i := range frames {
		e.encode(dst[i*m.octets:][:m.octets], pcm[i*m.samples:][:m.samples])
	}
	return frames * m.octets, nil
}

func (e *Encoder) encode(dst []byte, pcm []int16) {
	m := e.mode
	copy(e.speech[:order], e.speech[m.samples:])
	for i, s := range pcm {
		e.speech[order+i] = e.input.next(float64(s))
	}
	e.shape()
	for i := range m.subBlocks {
		at := i * subBlock
		e.filters[i].remove(e.residual[at:at+subBlock], e.speech[at:])
	}
	residual := e.residual[:m.samples]
	e.frame.place(m, residual)
	e.frame.quantizeState(m, residual, e.filters[:], e.weightings[:])
	e.excitation.begin(m, &e.frame, e.filters[:])
	for i := range m.blocks() {
		e.block(i)
	}
	e.frame.codes[1].narrow()
	e.frame.pack(m, dst)
}

// shape measures the spectra, and finds what is sent of them and the filters.
func (e *Encoder) shape() {
	m := e.mode
	var measured, sent [maxSets]spectrum
	e.analyser.measure(m, e.speech[order:order+m.samples], measured[:])
	for i := range m.sets {
		e.frame.spectra[i] = measured[i].quantize()
		sent[i] = received(e.frame.spectra[i])
	}
	m.interpolate(e.filters[:], &e.sent, sent[:])
	m.interpolate(e.weightings[:], &e.exact, measured[:])
	for i := range e.weightings {
		e.weightings[i] = e.weightings[i].widen(noticed)
	}
	e.exact, e.sent = measured[m.sets-1], sent[m.sets-1]
}

// block codes the next block of the residual.
func (e *Encoder) block(index int) {
	b := e.excitation.next(index)
	var buffer [subBlock]float64
	target := buffer[:b.to-b.from]
	b.transfer(target, e.residual[b.from:b.to])
	c := e.search.run(e.excitation.book.memory(), target, &e.weightings[b.from/subBlock], reachOf(index))
	e.frame.codes[index] = c
	e.excitation.add(b, &c)
}

// rounded is the sample nearest to x.
func rounded(x float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(x, math.MaxInt16))))
}
