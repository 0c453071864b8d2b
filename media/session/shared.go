package session

import (
	"fmt"
	"sync"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// maxShared is how many packets a frame may end: 20 ms in packets of 5 ms, the shortest
// that are agreed.
const maxShared = 4

// Shared is one encoding for all sessions that hear the same audio and have agreed on the
// same codec, parameters and packet time. Sequence numbers and timestamps stay each
// session's own. Encode, Send of sessions, and Close are called by who mixes, one at a
// time; a session may leave for another mixer meanwhile.
//
// Codecs with memory need care at both ends of sharing, for the far end's decoder follows
// the encoder. Where a session that was sent a Shared goes on with Send, its own encoder
// takes over the state of the shared one (codec.StateCopier), so that nothing is heard of
// it: for that, Send must come before the Shared is given the next frame. On the way back,
// see [Session.SendShared].
type Shared struct {
	kind    string
	before  int // samples that waited before the last frame
	packets [maxShared]struct {
		at, n int // of out
	}
	made int
	loss lossMean
	out  [maxPayload]byte

	mu     sync.Mutex // a session that was moved may take its state over
	pack   packer
	closed bool
}

// kind is what sessions must have in common to be sent the same payloads.
func kind(m offeranswer.Media) string {
	f := m.Format
	return fmt.Sprintf("%s/%d/%d/%v;%s;%s", f.Name, f.ClockRate, f.SampleRate, m.PacketTime, f.Fmtp, f.Peer)
}

// Sharing says which Shared can send for this session: one of the same kind, in which as
// many samples wait (packets of more than 20 ms end at different frames for different
// sessions). stateful says that the codec has memory. The kind is empty before Apply.
func (s *Session) Sharing() (kind string, waiting int, stateful bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.encode.kind, s.encode.pack.pending, !s.encode.codec.Stateless
}

// NewShared makes an encoding that this session and those like it can be sent. It goes on
// where the session's own is; nil if that is in the middle of a packet.
func (s *Session) NewShared() (*Shared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.decode.rate == 0 {
		return nil, errClosed
	}
	if s.encode.pack.pending != 0 {
		return nil, nil
	}
	encoder, err := s.encode.codec.NewEncoder(s.agreed.Format)
	if err != nil {
		return nil, fmt.Errorf("start a shared %s encoder: %w", s.encode.codec.Name, err)
	}
	sh := &Shared{kind: s.encode.kind, pack: packer{encoder: encoder}}
	sh.pack.resize(s.encode.pack.perPacket, s.decode.rate/50)
	if from := s.encode.shared; from != nil {
		from.copyState(encoder)
	} else {
		copyState(encoder, s.encode.pack.encoder)
	}
	return sh, nil
}

// Fits says whether the next frame's packets are for a session of this Sharing.
func (sh *Shared) Fits(kind string, waiting int) bool {
	return sh.pack.pending == waiting && sh.kind == kind
}

// Served says whether the last frame's packets were for a session of this Sharing.
func (sh *Shared) Served(kind string, waiting int) bool {
	return sh.before == waiting && sh.kind == kind
}

// Encode takes the next frame of 20 ms.
func (sh *Shared) Encode(pcm []int16) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.before, sh.made = sh.pack.pending, 0
	if loss, due := sh.loss.frame(); due {
		sh.pack.protect(loss)
	}
	sh.pack.add(pcm)
	used := 0
	var failed error
	for sh.pack.ready() && sh.made < maxShared {
		n, err := sh.pack.encode(sh.out[used:])
		if err != nil {
			n, failed = 0, err
		}
		p := &sh.packets[sh.made]
		p.at, p.n = used, n
		used += n
		sh.made++
	}
	return failed
}

// lossFrames is how often a shared encoder is told of losses: each second.
const lossFrames = 50

// lossMean is the loss that the sessions of a Shared have, in the mean: what protects
// against it costs all of them, so it is no more than fits most.
type lossMean struct {
	sum    float64
	count  int
	frames int
}

func (l *lossMean) add(loss float64) {
	l.sum += loss
	l.count++
}

// frame counts a frame; when it is time, it gives the mean and begins anew.
func (l *lossMean) frame() (mean float64, due bool) {
	if l.frames++; l.frames < lossFrames || l.count == 0 {
		return 0, false
	}
	mean = l.sum / float64(l.count)
	*l = lossMean{}
	return mean, true
}

// Close gives back what the encoder holds. Sessions that were sent it go on.
func (sh *Shared) Close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.closed {
		sh.closed = true
		release(sh.pack.encoder)
	}
}

// handBack lets a session's own packer go on where the shared one is.
func (sh *Shared) handBack(to *packer) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.closed {
		copyState(to.encoder, sh.pack.encoder)
	}
	n := copy(to.samples[:to.pending], sh.pack.samples[:sh.pack.pending])
	clear(to.samples[n:to.pending])
}

func (sh *Shared) copyState(to codec.Encoder) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.closed {
		copyState(to, sh.pack.encoder)
	}
}

func copyState(to, from codec.Encoder) {
	if c, ok := to.(codec.StateCopier); ok {
		c.CopyState(from)
	}
}

// SendShared sends the packets that the shared encoding made of the last frame, if it
// Served the session's Sharing; if not, it does nothing and is false. Where the session's
// own encoder sent before, a decoder with memory now follows another one, which is heard
// unless both have had the same audio for a while.
func (s *Session) SendShared(sh *Shared) bool { return s.sendShared(sh, nil) }

func (s *Session) sendShared(sh *Shared, by *Traffic) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &s.encode
	if s.closed || !sh.Served(e.kind, e.pack.pending) {
		return false
	}
	if !s.sending() {
		e.pause(uint32(s.agreed.Format.ClockRate / 50))
		return true
	}
	for _, p := range sh.packets[:sh.made] {
		copy(e.room(p.n), sh.out[p.at:p.at+p.n])
		s.transmit(p.n, by)
	}
	e.pack.pending, e.shared = sh.pack.pending, sh
	sh.loss.add(s.stats.PeerLoss)
	return true
}
