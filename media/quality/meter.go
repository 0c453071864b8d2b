package quality

import "time"

// Meter keeps how one direction of a call was, interval by interval. The zero value is
// ready.
type Meter struct {
	last   Sample
	rating Rating
	rated  time.Duration // of all intervals
	sum    float64       // of the MOS of each, times its length in seconds
	missed float64       // likewise of the loss
	worst  float64
}

// Sample is what was measured in one interval.
type Sample struct {
	Path
	Jitter time.Duration
	Length time.Duration // of the audio that was sent in the interval
}

// Add rates an interval. One without audio, as while a call is held, says nothing, and is
// not counted.
func (m *Meter) Add(s Sample) {
	if s.Length <= 0 {
		return
	}
	m.last, m.rating = s, s.Rate()
	m.rated += s.Length
	m.sum += m.rating.MOS * s.Length.Seconds()
	m.missed += s.Loss * s.Length.Seconds()
	if m.worst == 0 || m.rating.MOS < m.worst {
		m.worst = m.rating.MOS
	}
}

// Figures are what a Meter tells of a direction.
type Figures struct {
	Rated      time.Duration // how much audio was rated; 0: nothing is known, and all else is 0 too
	Loss       float64       // lately: share of packets that were not heard, 0 to 1
	BurstRatio float64       // lately
	Jitter     time.Duration // lately
	Delay      time.Duration // lately: one way, mouth to ear, as far as this node can tell
	R          float64       // lately
	MOS        float64       // lately
	MeanLoss   float64       // of all intervals
	MeanMOS    float64       // of all intervals, by their length
	WorstMOS   float64       // of the worst interval
}

// Figures are those of the last interval, and of all.
func (m *Meter) Figures() Figures {
	if m.rated == 0 {
		return Figures{}
	}
	seconds := m.rated.Seconds()
	return Figures{Rated: m.rated, Loss: m.last.Loss, BurstRatio: max(1, m.last.BurstRatio), Jitter: m.last.Jitter, Delay: m.last.Delay,
		R: m.rating.R, MOS: m.rating.MOS, MeanLoss: m.missed / seconds, MeanMOS: m.sum / seconds, WorstMOS: m.worst}
}
