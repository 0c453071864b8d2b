package wan

import (
	"fmt"
	"time"
)

// Impairment is what one direction does to packets. The zero value is a perfect line.
type Impairment struct {
	Delay  time.Duration `json:"delay,omitempty"`  // of every packet
	Jitter time.Duration `json:"jitter,omitempty"` // up to so much more, evenly spread; the order is kept

	Loss      float64 `json:"loss,omitempty"`      // share of packets, 0 to 1
	Duplicate float64 `json:"duplicate,omitempty"` // share of packets that arrive twice
	Reorder   float64 `json:"reorder,omitempty"`   // share of packets that later ones overtake

	// HoldBack is how much later a reordered packet comes; 0: 20 ms.
	HoldBack time.Duration `json:"holdBack,omitempty"`

	Rate int64 `json:"rate,omitempty"` // bits in a second; 0: no limit
	// Buffer is how long a packet waits for the rate at most; one that would wait longer
	// is dropped. 0: 200 ms.
	Buffer time.Duration `json:"buffer,omitempty"`
	// MaxPacket is the size in octets, with the IP header, up to which packets pass;
	// larger ones vanish, as in a path with a wrong MTU and no ICMP. 0: no limit.
	MaxPacket int `json:"maxPacket,omitempty"`
}

const (
	defaultHoldBack = 20 * time.Millisecond
	defaultBuffer   = 200 * time.Millisecond
)

// Validate says which field cannot be.
func (i Impairment) Validate() error {
	shares := []struct {
		name  string
		value float64
	}{{"loss", i.Loss}, {"duplicate", i.Duplicate}, {"reorder", i.Reorder}}
	for _, s := range shares {
		if !(s.value >= 0 && s.value <= 1) { // NaN too
			return fmt.Errorf("%s %v: give a share from 0 to 1, such as 0.05", s.name, s.value)
		}
	}
	for name, d := range map[string]time.Duration{"delay": i.Delay, "jitter": i.Jitter, "hold back": i.HoldBack, "buffer": i.Buffer} {
		if d < 0 {
			return fmt.Errorf("%s %v: a time cannot be negative", name, d)
		}
	}
	if i.Rate < 0 || i.MaxPacket < 0 {
		return fmt.Errorf("rate %d and largest packet %d: neither can be negative; 0 is no limit", i.Rate, i.MaxPacket)
	}
	return nil
}

func (i Impairment) holdBack() time.Duration {
	if i.HoldBack == 0 {
		return defaultHoldBack
	}
	return i.HoldBack
}

func (i Impairment) buffer() time.Duration {
	if i.Buffer == 0 {
		return defaultBuffer
	}
	return i.Buffer
}
