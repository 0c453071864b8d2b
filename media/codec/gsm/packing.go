package gsm

// signature is in the first four bits of a payload (RFC 3551 section 4.5.8.1).
const signature = 0xd

// areaBits is how many bits each log area ratio has.
var areaBits = [order]int{6, 6, 5, 5, 4, 4, 3, 3}

// pack writes the parameters in the order of the standard, each with its most
// significant bit first.
func pack(dst *[FrameOctets]byte, f *frame) {
	p := packer{octets: dst, bits: signature, have: 4}
	for i, a := range f.areas {
		p.put(a, areaBits[i])
	}
	for i := range f.quarters {
		q := &f.quarters[i]
		p.put(q.lag, 7)
		p.put(q.gain, 2)
		p.put(q.grid, 2)
		p.put(q.peak, 6)
		for _, v := range q.pulses {
			p.put(v, 3)
		}
	}
}

func unpack(payload *[FrameOctets]byte) (f frame) {
	u := unpacker{octets: payload}
	u.next(4)
	for i := range f.areas {
		f.areas[i] = u.next(areaBits[i])
	}
	for i := range f.quarters {
		q := &f.quarters[i]
		q.lag, q.gain, q.grid, q.peak = u.next(7), u.next(2), u.next(2), u.next(6)
		for j := range q.pulses {
			q.pulses[j] = u.next(3)
		}
	}
	return f
}

type packer struct {
	octets  *[FrameOctets]byte
	written int
	bits    uint // the lowest of them are not written yet
	have    int  // how many
}

func (p *packer) put(v int16, width int) {
	p.bits, p.have = p.bits<<width|uint(v), p.have+width
	if p.have >= 8 { // no value has more
		p.have -= 8
		p.octets[p.written] = byte(p.bits >> p.have)
		p.written++
	}
}

type unpacker struct {
	octets *[FrameOctets]byte
	read   int
	bits   uint // the lowest of them were not taken yet
	have   int  // how many
}

func (u *unpacker) next(width int) int16 {
	if u.have < width {
		u.bits, u.have = u.bits<<8|uint(u.octets[u.read]), u.have+8
		u.read++
	}
	u.have -= width
	return int16(u.bits >> u.have & (1<<width - 1))
}
