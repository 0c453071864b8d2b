package callflow

import (
	"math"
	"time"

	"github.com/conclave-voice/conclave/media/quality"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

// Quality is what the media says of a stay. It is stored with the stay's record.
type Quality struct {
	Received    uint64  `json:"packetsReceived"`
	Sent        uint64  `json:"packetsSent"`
	Lost        uint64  `json:"packetsLost"` // of those that should have been received
	Late        uint64  `json:"packetsLate"` // received when their time to be played was over
	Strays      uint64  `json:"strays"`      // from who is not the caller
	JitterMs    int64   `json:"jitterMs"`
	DelayMs     int64   `json:"delayMs"`     // of the jitter buffer
	RoundTripMs int64   `json:"roundTripMs"` // by RTCP; 0: not known
	PeerLoss    float64 `json:"peerLoss"`    // share of our packets that the caller lost lately, 0..1
	Codec       string  `json:"codec,omitempty"`
	// Inbound is what is heard of the caller, Outbound what the caller hears, by its reports.
	Inbound  Direction `json:"inbound,omitzero"`
	Outbound Direction `json:"outbound,omitzero"`
	// Media is which way the media of a forwarded call went last: direct or relay.
	Media string `json:"media,omitempty"`
}

// Direction is how one direction was. The zero value: that is not known.
type Direction struct {
	Rated    float64 `json:"ratedSeconds"` // how much audio was rated
	Loss     float64 `json:"loss"`         // lately: share of packets lost or too late, 0..1
	JitterMs float64 `json:"jitterMs"`     // lately
	DelayMs  float64 `json:"delayMs"`      // lately: one way
	MOS      float64 `json:"mos"`          // lately, by the E-model
	MeanLoss float64 `json:"meanLoss"`
	MeanMOS  float64 `json:"meanMos"`
	WorstMOS float64 `json:"worstMos"`          // of an interval of some 5 s
	Reported Claims  `json:"reported,omitzero"` // what the caller's telephone says of what it hears
}

// Claims are what a telephone tells by extended reports; what it does not tell is zero.
type Claims struct {
	MOS            float64 `json:"mos,omitempty"`
	ListeningMOS   float64 `json:"listeningMos,omitempty"`
	R              float64 `json:"r,omitempty"`
	Lost           float64 `json:"lost"`      // share of all packets
	Discarded      float64 `json:"discarded"` // likewise: they came too late
	EndSystemDelay int64   `json:"endSystemDelayMs,omitempty"`
	SignalLevel    int     `json:"signalDbm0,omitempty"`
	NoiseLevel     int     `json:"noiseDbm0,omitempty"`
}

func qualityOf(media *session.Session) Quality {
	s := media.Stats()
	q := Quality{Received: s.Received, Sent: s.Sent, Lost: s.Playout.Lost, Late: s.Playout.Late, Strays: s.Strays,
		JitterMs: s.Playout.Jitter.Milliseconds(), DelayMs: s.Playout.Delay.Milliseconds(), RoundTripMs: s.RoundTrip.Milliseconds(), PeerLoss: s.PeerLoss,
		Codec: media.Agreed().Format.Name, Inbound: directionOf(s.Quality.Inbound), Outbound: directionOf(s.Quality.Outbound)}
	if p := s.Quality.Peer; p.Known {
		q.Outbound.Reported = Claims{MOS: p.MOS, ListeningMOS: p.ListeningMOS, R: p.R, Lost: rounded(p.Lost, 4), Discarded: rounded(p.Discarded, 4),
			EndSystemDelay: p.EndSystemDelay.Milliseconds(), SignalLevel: p.SignalLevel, NoiseLevel: p.NoiseLevel}
	}
	return q
}

// directionOf rounds to what the figures are good for.
func directionOf(f quality.Figures) Direction {
	ms := func(d time.Duration) float64 { return rounded(float64(d)/float64(time.Millisecond), 1) }
	return Direction{Rated: rounded(f.Rated.Seconds(), 1), Loss: rounded(f.Loss, 4), JitterMs: ms(f.Jitter), DelayMs: ms(f.Delay),
		MOS: rounded(f.MOS, 2), MeanLoss: rounded(f.MeanLoss, 4), MeanMOS: rounded(f.MeanMOS, 2), WorstMOS: rounded(f.WorstMOS, 2)}
}

func rounded(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}

// known says whether anything was rated.
func (d Direction) known() bool { return d.Rated > 0 }

// then is what comes of a later part of the stay.
func (d Direction) then(later Direction) Direction {
	switch {
	case !later.known():
		return d
	case !d.known():
		return later
	}
	sum := later
	sum.Rated += d.Rated
	mean := func(a, b float64) float64 { return (a*d.Rated + b*later.Rated) / sum.Rated }
	sum.MeanMOS, sum.MeanLoss = rounded(mean(d.MeanMOS, later.MeanMOS), 2), rounded(mean(d.MeanLoss, later.MeanLoss), 4)
	sum.WorstMOS = min(d.WorstMOS, later.WorstMOS)
	return sum
}

// onward is what comes of a way in two parts, of which the far one passes on what the near
// one has lost. Delay adds up; of all else, the worse part is what is heard.
func (d Direction) onward(far Direction) Direction {
	switch {
	case !far.known():
		return d
	case !d.known():
		return far
	}
	d.Rated = max(d.Rated, far.Rated)
	d.Loss, d.MeanLoss, d.JitterMs = max(d.Loss, far.Loss), max(d.MeanLoss, far.MeanLoss), max(d.JitterMs, far.JitterMs)
	d.DelayMs = rounded(d.DelayMs+far.DelayMs, 1)
	d.MOS, d.MeanMOS, d.WorstMOS = min(d.MOS, far.MOS), min(d.MeanMOS, far.MeanMOS), min(d.WorstMOS, far.WorstMOS)
	return d
}

// score is what of it is stored in columns of the record.
func (d Direction) score() store.Score {
	return store.Score{MOS: int(math.Round(100 * d.MeanMOS)), WorstMOS: int(math.Round(100 * d.WorstMOS)), Loss: int(math.Round(10_000 * d.MeanLoss))}
}

// collect keeps what was told of a leg that is over.
func (c *call) collect(l *focusLeg) {
	r, relay := l.last.get().Quality, l.media.Stats()
	if c.far == nil {
		c.far = &Quality{}
	}
	far := c.far
	// What this node relayed it has counted itself.
	far.Received += r.Received - min(r.Received, relay.Sent)
	far.Sent += r.Sent - min(r.Sent, relay.Received)
	far.Lost += r.Lost
	far.Late += r.Late
	far.Strays += r.Strays
	far.JitterMs, far.DelayMs, far.RoundTripMs, far.PeerLoss = r.JitterMs, r.DelayMs, r.RoundTripMs, r.PeerLoss
	far.Inbound, far.Outbound = far.Inbound.then(r.Inbound), far.Outbound.then(r.Outbound)
	far.Media = string(MediaRelay)
	if l.past() {
		far.Media = string(MediaDirect)
	}
}

// quality is what the media says of the stay, here and where it was mixed.
func (c *call) quality() Quality {
	if c.media == nil {
		return Quality{} // it was taken over, and there was no port for it
	}
	q := qualityOf(c.media)
	if c.far == nil {
		return q
	}
	q.Received += c.far.Received
	q.Sent += c.far.Sent
	q.Lost = c.lostBefore + c.far.Lost // where it is mixed, what is lost on the way here is missed too
	q.Late += c.far.Late
	q.Strays += c.far.Strays
	return q.with(*c.far)
}

// with joins what is known here with what is known where the caller is mixed. Relayed, the
// two are parts of one way; direct, the one has come after the other.
func (q Quality) with(far Quality) Quality {
	q.JitterMs, q.DelayMs, q.Media = far.JitterMs, far.DelayMs, far.Media
	if far.Media != string(MediaDirect) {
		q.Inbound, q.Outbound = q.Inbound.onward(far.Inbound), q.Outbound.onward(far.Outbound)
		return q
	}
	q.RoundTripMs, q.PeerLoss = far.RoundTripMs, far.PeerLoss
	q.Inbound, q.Outbound = q.Inbound.then(far.Inbound), q.Outbound.then(far.Outbound)
	return q
}
