package session

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/playout"
	"github.com/conclave-voice/conclave/media/quality"
)

// FrameTime is the length of a tick, and of a frame of audio.
const FrameTime = 20 * time.Millisecond

const (
	maxPacket    = 2048 // octets of the largest datagram that is read whole
	maxDrain     = 32   // datagrams read per tick: 1,600 a second, 32 times what a caller sends; more stay in the kernel and are dropped there
	maxDigits    = 32   // digits waiting to be taken; more are dropped and counted
	maxFrame     = 960  // samples of 20 ms at 48 kHz
	maxPayload   = 1024 // octets of the largest payload that is sent: 60 ms of 64 kbit/s has 480
	headerLength = 12
)

// Session is one caller's RTP and RTCP. All methods are safe for concurrent use.
type Session struct {
	ports    *Ports
	registry *codec.Registry
	rtp      *socket
	rtcp     *socket

	users    atomic.Int32 // of the sockets: this session until it is closed, and each datagram that waits
	unsent   unsent
	mu       sync.Mutex
	closed   bool
	agreed   offeranswer.Media
	source   source
	decode   decoding
	encode   encoding
	digits   digitQueue
	reports  reports
	metering metering
	stats    Counts
	steady   steady
	last     time.Duration // when the last packet was taken, or the format agreed
	keyed    time.Duration // when the last packet of a telephone event was taken
	packet   rtp.Packet
}

// decoding is the receiving half: of what was negotiated.
type decoding struct {
	rate    int // Hz of the frames that Read gives; 0 before the first Apply
	buffer  *playout.Buffer
	decoder codec.Decoder // that of buffer
	events  dtmf.Receiver
	comfort comfort
	ssrc    uint32
	known   bool // ssrc is set
}

// encoding is the sending half.
type encoding struct {
	codec  codec.Codec
	pack   packer
	kind   string  // what Shared encodings it can use
	shared *Shared // whose packets were sent last; nil: those of pack
	header rtp.Header
	marker bool   // the next packet is the first after a pause
	step   uint32 // RTP timestamp units per packet
	splice splice // of what is relayed
	out    []byte // see room
	most   int    // octets of a payload that the encoder makes, at most
}

// Stats is what happened since the session was opened.
type Stats struct {
	Counts
	Playout playout.Stats
	Quality Quality
}

// Counts are what a session keeps itself: of packets, but for the times.
type Counts struct {
	Received, Sent uint64
	Strays         uint64 // from a source that is not the peer
	Malformed      uint64 // not RTP, or a payload type that was not agreed
	DigitsDropped  uint64
	SendErrors     uint64
	RoundTrip      time.Duration // by the last receiver report that let us know; 0: unknown
	PeerLoss       float64       // share of our packets that the peer lost lately, 0..1
	PeerJitter     time.Duration
}

// Open takes a pair of ports. Nothing is sent, and everything that arrives is a
// stray, until Apply.
func Open(ports *Ports, registry *codec.Registry) (*Session, error) {
	rtpSocket, rtcpSocket, err := ports.open()
	if err != nil {
		return nil, fmt.Errorf("open a media session: %w", err)
	}
	s := &Session{ports: ports, registry: registry, rtp: rtpSocket, rtcp: rtcpSocket}
	s.hold()
	s.encode.header = rtp.Header{
		Version: 2, SSRC: rand.Uint32(), Timestamp: rand.Uint32(),
		SequenceNumber: uint16(rand.Uint32()),
	}
	return s, nil
}

// Addr is where this session receives RTP.
func (s *Session) Addr() netip.AddrPort { return s.rtp.local }

// Apply puts a negotiation into force. What can go on goes on: our SSRC and
// sequence numbers always, the jitter buffer if the codec is the same.
func (s *Session) Apply(m offeranswer.Media, now time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("apply a negotiation: %w", errClosed)
	}
	if s.decode.rate == 0 || m.Format != s.agreed.Format {
		if err := s.changeFormat(m); err != nil {
			return err
		}
	}
	s.encode.pack.resize(s.decode.rate*int(m.PacketTime/time.Millisecond)/1000, s.decode.rate/50)
	s.encode.most = maxPayload
	if sizer, ok := s.decode.decoder.(codec.Sizer); ok && sizer.Samples(1) == 1 { // an octet for each sample
		s.encode.most = s.encode.pack.perPacket
	}
	s.encode.kind = kind(m)
	s.encode.step = uint32(m.Format.ClockRate * int(m.PacketTime/time.Millisecond) / 1000)
	if !m.Remote.Addr().IsUnspecified() {
		s.source.arm(m.Remote, now)
	}
	s.agreed = m
	s.last = now
	s.reports.start(now)
	if s.metering.next == 0 {
		s.metering.next = now + meterInterval
	}
	return nil
}

func (s *Session) changeFormat(m offeranswer.Media) error {
	c, ok := s.registry.Find(m.Format)
	if !ok {
		return fmt.Errorf("apply a negotiation: no codec %s/%d", m.Format.Name, m.Format.ClockRate)
	}
	encoder, err := c.NewEncoder(m.Format)
	if err != nil {
		return fmt.Errorf("start the %s encoder: %w", c.Name, err)
	}
	decoder, err := c.NewDecoder(m.Format)
	if err != nil {
		release(encoder)
		return fmt.Errorf("start the %s decoder: %w", c.Name, err)
	}
	s.release()
	s.decode.decoder = decoder
	s.decode.buffer = playout.New(playout.Config{Decoder: decoder, ClockRate: m.Format.ClockRate, SampleRate: m.Format.SampleRate})
	s.decode.rate = m.Format.SampleRate
	s.decode.known, s.decode.comfort = false, comfort{}
	s.metering.codec, s.metering.begin = quality.CodecNamed(m.Format.Name, m.Format.SampleRate), quality.Counts{}
	s.encode.codec, s.encode.shared = c, nil
	s.encode.pack = packer{encoder: encoder}
	s.encode.header.PayloadType = uint8(m.Format.PayloadType)
	s.encode.marker = true
	return nil
}

// release gives back what encoder and decoder hold.
func (s *Session) release() {
	release(s.encode.pack.encoder)
	release(s.decode.decoder)
}

func release(encoderOrDecoder any) {
	if c, ok := encoderOrDecoder.(codec.Closer); ok {
		c.Close()
	}
}

// Rate is the sample rate of the frames that Read gives and Send takes, in Hz;
// 0 before the first Apply.
func (s *Session) Rate() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decode.rate
}

// Agreed is the negotiation in force.
func (s *Session) Agreed() offeranswer.Media {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agreed
}

// InBand says whether the peer's digits are to be looked for in its audio: no
// telephone events were agreed.
func (s *Session) InBand() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agreed.DTMF == 0
}

// Silence is how long no packet has come that should have: zero while the peer
// holds the call.
func (s *Session) Silence(now time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decode.rate == 0 || !s.agreed.Direction.Receives() {
		return 0
	}
	return now - s.last
}

// TrustSignalled has packets taken from the addresses in the peer's SDP alone: for
// peers that are known to be behind no NAT. Call it before the first Apply.
func (s *Session) TrustSignalled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source.exact = true
}

// Source is whose packets are taken; the zero value until one has come since the peer's
// address was last negotiated.
func (s *Session) Source() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.locked
}

// Keyed says whether a packet of a telephone event has come lately, for a time within
// which a key that is held down sends many.
func (s *Session) Keyed(now, lately time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keyed > 0 && now-s.keyed < lately
}

// Digit takes the next digit that came as a telephone event (RFC 4733).
func (s *Session) Digit() (dtmf.Digit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.digits.pop()
}

// Stats is a snapshot.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	st := Stats{Counts: s.stats}
	if s.decode.buffer != nil {
		st.Playout = s.decode.buffer.Stats()
	}
	st.Quality = s.quality(st.Playout)
	return st
}

// Close says goodbye by RTCP and gives the ports back, once no datagram of the session waits
// in a Traffic any more. Closing twice is harmless.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.sendBye()
	s.release()
	s.letGo()
}

// hold keeps the sockets open until letGo.
func (s *Session) hold() { s.users.Add(1) }

func (s *Session) letGo() {
	if s.users.Add(-1) > 0 {
		return
	}
	s.rtp.close()
	s.rtcp.close()
	s.ports.closed(s.rtp.local.Port())
}

// digitQueue keeps digits in the order they came. It is bounded: a peer that
// floods events loses them, the call goes on.
type digitQueue struct {
	ring        [maxDigits]dtmf.Digit
	first, held int
}

func (q *digitQueue) push(d dtmf.Digit) bool {
	if q.held == maxDigits {
		return false
	}
	q.ring[(q.first+q.held)%maxDigits] = d
	q.held++
	return true
}

func (q *digitQueue) pop() (dtmf.Digit, bool) {
	if q.held == 0 {
		return 0, false
	}
	d := q.ring[q.first]
	q.first = (q.first + 1) % maxDigits
	q.held--
	return d, true
}
