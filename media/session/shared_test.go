package session

import (
	"math"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// careful is PCMU as a codec with memory that is told of losses: its state is how many
// frames of 20 ms it has encoded, which takes the place of the first octet.
type careful struct {
	codec.Encoder
	frames *int
	loss   *float64
}

func (c careful) SetLoss(share float64) { *c.loss = share }

func (c careful) Encode(dst []byte, pcm []int16) (int, error) {
	n, err := c.Encoder.Encode(dst, pcm)
	*c.frames++
	dst[0] = byte(*c.frames)
	return n, err
}

func (c careful) CopyState(from codec.Encoder) bool {
	other, ok := from.(careful)
	if ok {
		*c.frames = *other.frames
	}
	return ok
}

// sharers are sessions with one such codec, and the last encoder that was made.
type sharers struct {
	t       *testing.T
	list    []*Session
	peers   []*peer
	encoder careful
}

func newSharers(t *testing.T, n int, packet time.Duration) *sharers {
	t.Helper()
	sh := &sharers{t: t}
	c := codec.PCMU()
	c.Golden, c.Stateless = codec.Golden{}, false
	start := c.NewEncoder
	c.NewEncoder = func(f codec.Format) (codec.Encoder, error) {
		e, err := start(f)
		sh.encoder = careful{e, new(int), new(float64)}
		return sh.encoder, err
	}
	ports, err := NewPorts(loopback, 32000, 32999)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		s, err := Open(ports, codec.NewRegistry(c))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		p := newPeer(t)
		m := p.media(offeranswer.SendRecv)
		m.PacketTime = packet
		apply(t, s, m, 0)
		sh.list, sh.peers = append(sh.list, s), append(sh.peers, p)
	}
	return sh
}

// first is the number of the frame in each packet that a peer has got.
func (sh *sharers) first(i int) (list []byte) {
	for _, b := range sh.peers[i].receive(sh.peers[i].rtp) {
		list = append(list, b[headerLength])
	}
	return list
}

// SPEC CD2: a shared encoding is sent to all who agreed on the same, in packets of any
// time; who then goes on alone goes on where it was, in the middle of a packet, too.
func TestShared(t *testing.T) {
	for _, c := range []struct {
		packet  time.Duration
		packets int // in the 6 frames that are shared, and 6 more alone
	}{{10 * time.Millisecond, 24}, {20 * time.Millisecond, 12}, {30 * time.Millisecond, 8}, {40 * time.Millisecond, 6}, {60 * time.Millisecond, 4}} {
		sharers := newSharers(t, 2, c.packet)
		one, other := sharers.list[0], sharers.list[1]
		sh, err := one.NewShared()
		if err != nil || sh == nil {
			t.Fatal(sh, err)
		}
		pcm := make([]int16, 160)
		const alone = 7 // not at the end of a packet of 30, 40 or 60 ms
		for i := range 12 {
			if i >= alone {
				other.Send(pcm) // before the shared one goes on
			}
			if kind, waiting, stateful := one.Sharing(); !stateful || !sh.Fits(kind, waiting) {
				t.Fatalf("%v: frame %d does not fit", c.packet, i)
			}
			if err := sh.Encode(pcm); err != nil {
				t.Fatal(err)
			}
			if !one.SendShared(sh) || i < alone && !other.SendShared(sh) {
				t.Fatalf("%v: frame %d was not sent", c.packet, i)
			}
		}
		for i := range sharers.list {
			got := sharers.first(i)
			if len(got) != c.packets {
				t.Fatalf("%v: session %d sent %d packets", c.packet, i, len(got))
			}
			for j, n := range got {
				if int(n) != j+1 {
					t.Errorf("%v: session %d sent %v", c.packet, i, got)
					break
				}
			}
		}
		sh.Close()
		sh.Close()
		other.Send(pcm)
		one.Send(pcm) // it was sent a Shared that has gone
	}
}

// CD2: a session with other parameters is not sent what does not fit.
func TestSharedOfAnotherKind(t *testing.T) {
	sharers := newSharers(t, 2, FrameTime)
	m := sharers.list[1].Agreed()
	m.Format.Peer = "annexb=no"
	apply(t, sharers.list[1], m, 0)
	sh, err := sharers.list[0].NewShared()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Encode(make([]int16, 160)); err != nil {
		t.Fatal(err)
	}
	if sharers.list[1].SendShared(sh) {
		t.Error("it was sent")
	}
}

// CD3: a shared encoder is told of the loss that its sessions have in the mean.
func TestSharedProtectsAgainstLoss(t *testing.T) {
	sharers := newSharers(t, 4, FrameTime)
	sh, err := sharers.list[0].NewShared()
	if err != nil {
		t.Fatal(err)
	}
	sharers.list[1].stats.PeerLoss = 0.2
	for range lossFrames + 1 {
		if err := sh.Encode(make([]int16, 160)); err != nil {
			t.Fatal(err)
		}
		for _, s := range sharers.list {
			s.SendShared(sh)
		}
	}
	if math.Abs(*sharers.encoder.loss-0.05) > 0.001 {
		t.Errorf("told of %v", *sharers.encoder.loss)
	}
}
