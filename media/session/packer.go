package session

import "github.com/conclave-voice/conclave/media/codec"

// packer makes frames of 20 ms into packets of the time that was agreed.
type packer struct {
	encoder   codec.Encoder
	perPacket int     // samples
	samples   []int16 // room for what waits and a frame more; at most codec.MaxPacketTime and FrameTime
	pending   int     // of them, waiting
}

// resize agrees on another packet time. What waits stays.
func (p *packer) resize(perPacket, frame int) {
	p.perPacket = perPacket
	room := perPacket
	if perPacket%frame != 0 {
		room += frame // the last frame of a packet begins the next one, too
	}
	if len(p.samples) < max(room, frame) {
		samples := make([]int16, max(room, frame))
		copy(samples, p.samples[:p.pending])
		p.samples = samples
	}
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
