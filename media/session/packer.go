package session

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

// packer makes frames of 20 ms into packets of the time that was agreed.
type packer struct {
	encoder   codec.Encoder
	perPacket int     // samples
	samples   []int16 // room for a packet, and a frame more
	pending   int     // of them, waiting
}

func newPacker(encoder codec.Encoder, rate int) packer {
	return packer{encoder: encoder, samples: make([]int16, rate*int((codec.MaxPacketTime+FrameTime)/time.Millisecond)/1000)}
}

func (p *packer) add(pcm []int16) { p.pending += copy(p.samples[p.pending:], pcm) }

// drop forgets what waits.
func (p *packer) drop() { p.pending = 0 }

// ready says whether there is enough for a packet.
func (p *packer) ready() bool { return p.perPacket > 0 && p.pending >= p.perPacket }

// protect tells the encoder what share of our packets is lost, 0 to 1.
func (p *packer) protect(loss float64) {
	if a, ok := p.encoder.(codec.LossAdapter); ok {
		a.SetLoss(loss)
	}
}

// encode makes the next packet.
func (p *packer) encode(dst []byte) (int, error) {
	n, err := p.encoder.Encode(dst, p.samples[:p.perPacket])
	p.pending = copy(p.samples, p.samples[p.perPacket:p.pending])
	return n, err
}
