package codec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

var (
	errNoEncoder = errors.New("it cannot encode")
	errNoDecoder = errors.New("it cannot decode")
	errShadowed  = errors.New("another backend that comes first has this codec")
)

// Status is one codec of a registry, available or not.
type Status struct {
	Format
	Backend   string
	Available bool // both ways work and it is the backend in use
	Encode    error
	Decode    error // why it does not work that way; nil if it does
	Reason    error // why it is not available; nil if it is
}

// Registry knows the codecs in order of preference. It does not change after it
// is made and is safe for concurrent use.
type Registry struct {
	available []Codec
	status    []Status
}

// NewRegistry tries each codec on its golden audio and keeps the order. Where
// two have one name and clock rate, the first that works both ways is used; the
// others are listed as spare.
func NewRegistry(codecs ...Codec) *Registry {
	r := &Registry{}
	for _, c := range codecs {
		s := try(c)
		if s.Reason == nil {
			if _, taken := r.Lookup(c.Name, c.ClockRate); taken {
				s.Reason = errShadowed
			} else {
				s.Available = true
				r.available = append(r.available, c)
			}
		}
		r.status = append(r.status, s)
	}
	return r
}

func try(c Codec) Status {
	s := Status{Format: c.Format, Backend: c.Backend}
	if err := c.Format.check(); err != nil {
		s.Encode, s.Decode, s.Reason = err, err, err
		return s
	}
	if c.Missing != nil {
		s.Encode, s.Decode, s.Reason = c.Missing, c.Missing, c.Missing
		return s
	}
	payloads, err := c.tryEncoder()
	s.Encode = err
	s.Decode = c.tryDecoder(payloads)
	s.Reason = errors.Join(s.Encode, s.Decode)
	return s
}

// MaxPacketTime is the most audio that a packet may hold, either way.
const MaxPacketTime = 60 * time.Millisecond

// check finds formats that would break the arithmetic of the media path: whole
// samples and clock units in 10 ms, and a ratio between the two rates.
func (f Format) check() error {
	switch {
	case f.Name == "":
		return errors.New("the codec has no name")
	case f.ClockRate <= 0 || f.ClockRate%100 != 0:
		return fmt.Errorf("clock rate %d is not a positive multiple of 100 Hz", f.ClockRate)
	case f.SampleRate <= 0 || f.SampleRate%100 != 0:
		return fmt.Errorf("sample rate %d is not a positive multiple of 100 Hz", f.SampleRate)
	case f.ClockRate%f.SampleRate != 0 && f.SampleRate%f.ClockRate != 0:
		return fmt.Errorf("clock rate %d and sample rate %d are not multiples of one another", f.ClockRate, f.SampleRate)
	case f.Channels < 1 || f.Channels > 2:
		return fmt.Errorf("%d channels; 1 and, where a=rtpmap asks for it, 2 are known", f.Channels)
	case f.Frame()%(5*time.Millisecond) != 0 || f.Frame() < 0 || f.Frame() > MaxPacketTime:
		return fmt.Errorf("frames of %v; they must be multiples of 5 ms, up to %v", f.Frame(), MaxPacketTime)
	case f.PayloadType < -1 || f.PayloadType > 127:
		return fmt.Errorf("payload type %d is not in -1..127", f.PayloadType)
	}
	return nil
}

// Lookup finds an available codec by encoding name, without regard to case, and
// clock rate.
func (r *Registry) Lookup(name string, clockRate int) (Codec, bool) {
	for _, c := range r.available {
		if c.ClockRate == clockRate && strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Codec{}, false
}

// Find is Lookup by the name and clock rate of f; the payload type, which a
// call may have changed, does not matter.
func (r *Registry) Find(f Format) (Codec, bool) { return r.Lookup(f.Name, f.ClockRate) }

// Static finds an available codec by the static payload type that RFC 3551
// section 6 gives it, for an m= line without a=rtpmap.
func (r *Registry) Static(payloadType int) (Codec, bool) {
	for _, c := range r.available {
		if c.PayloadType >= 0 && c.PayloadType == payloadType {
			return c, true
		}
	}
	return Codec{}, false
}

// Codecs are those that work, most preferred first.
func (r *Registry) Codecs() []Codec { return slices.Clone(r.available) }

// Formats are those of Codecs.
func (r *Registry) Formats() []Format {
	formats := make([]Format, len(r.available))
	for i, c := range r.available {
		formats[i] = c.Format
	}
	return formats
}

// Status lists all codecs in the order they were given, with what does not work
// and why.
func (r *Registry) Status() []Status { return slices.Clone(r.status) }
