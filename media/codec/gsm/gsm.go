package gsm

import (
	"errors"
	"fmt"
)

var (
	errBuffer    = errors.New("gsm: destination too short")
	errSamples   = errors.New("gsm: not a whole number of frames of 160 samples")
	errOctets    = errors.New("gsm: not a whole number of frames of 33 octets")
	errSignature = fmt.Errorf("gsm: a frame does not begin with %#x", signature)
)

const (
	// FrameSamples is 20 ms at 8 kHz.
	FrameSamples = 160
	// FrameOctets is how long the payload of a frame is.
	FrameOctets = 33

	quarter  = 40  // samples of a sub-frame, of which a frame has four
	order    = 8   // of the short term filter
	pulses   = 13  // that are sent of a quarter
	longest  = 120 // samples that the long term prediction reaches back
	shortest = 40
)

// frame are the parameters of 20 ms, as they are sent (table 1.1).
type frame struct {
	areas    [order]int16 // LARc
	quarters [4]subframe
}

type subframe struct {
	lag    int16         // Nc: how far back the long term prediction looks, in samples
	gain   int16         // bc: how much of it is taken
	grid   int16         // Mc: with which sample the pulses begin
	peak   int16         // xmaxc: the largest of them, 3 bits exponent and 3 bits mantissa
	pulses [pulses]int16 // xMc
}

// Encoder is the state of one stream. The zero value starts one.
type Encoder struct {
	input   preprocessor
	areas   areas
	lattice [order]int16 // u: the memory of the short term filter
	past    past
}

// Encode writes 33 octets for each 160 samples.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	frames := len(pcm) / FrameSamples
	if frames*FrameSamples != len(pcm) {
		return 0, errSamples
	}
	if len(dst) < frames*FrameOctets {
		return 0, errBuffer
	}
	for i := range frames {
		f := e.frame((*[FrameSamples]int16)(pcm[i*FrameSamples:]))
		pack((*[FrameOctets]byte)(dst[i*FrameOctets:]), &f)
	}
	return frames * FrameOctets, nil
}

func (e *Encoder) frame(pcm *[FrameSamples]int16) frame {
	var f frame
	s := e.input.filter(pcm)
	f.areas = quantizeAreas(reflections(&s))
	e.areas.next(&f.areas)
	e.shortTerm(&s) // s is what is left of it from here on: d
	for i := range f.quarters {
		f.quarters[i] = e.past.encode((*[quarter]int16)(s[i*quarter:]))
	}
	return f
}

// Decoder is the state of one stream.
type Decoder struct {
	areas    areas
	lattice  [order + 1]int16 // v: the memory of the short term filter
	past     past
	lag      int16 // nrp: the last one that was valid
	emphasis int16 // msr
}

// NewDecoder starts a stream.
func NewDecoder() *Decoder { return &Decoder{lag: shortest} }

// Decode writes 160 samples for each 33 octets. All that has the signature is a
// frame.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	frames := len(payload) / FrameOctets
	if frames*FrameOctets != len(payload) {
		return 0, errOctets
	}
	if len(pcm) < frames*FrameSamples {
		return 0, errBuffer
	}
	for i := range frames {
		if payload[i*FrameOctets]>>4 != signature {
			return 0, errSignature
		}
	}
	for i := range frames {
		f := unpack((*[FrameOctets]byte)(payload[i*FrameOctets:]))
		d.frame((*[FrameSamples]int16)(pcm[i*FrameSamples:]), &f)
	}
	return frames * FrameSamples, nil
}

func (d *Decoder) frame(pcm *[FrameSamples]int16, f *frame) {
	for i := range f.quarters {
		q := &f.quarters[i]
		if q.lag >= shortest && q.lag <= longest { // section 5.3.2
			d.lag = q.lag
		}
		residual := d.past.decode(q, d.lag)
		copy(pcm[i*quarter:], residual[:])
	}
	d.areas.next(&f.areas)
	d.shortTerm(pcm)
	d.postprocess(pcm)
}

// postprocess is the de-emphasis and upscaling of sections 5.3.5 to 5.3.7.
func (d *Decoder) postprocess(pcm *[FrameSamples]int16) {
	for k, s := range pcm {
		d.emphasis = add(s, mulRound(d.emphasis, 28180))
		pcm[k] = add(d.emphasis, d.emphasis) &^ 7
	}
}
