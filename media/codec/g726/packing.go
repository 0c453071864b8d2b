package g726

// packer writes codes into octets. There must be room for them.
type packer struct {
	octets []byte
	order  Order
	bits   uint // that are not written yet
	have   int  // how many
}

func (p *packer) put(code, width int) {
	if p.order == LittleEndian {
		p.bits |= uint(code) << p.have
	} else {
		p.bits = p.bits<<width | uint(code)
	}
	for p.have += width; p.have >= 8; p.have -= 8 {
		if p.order == LittleEndian {
			p.octets = append(p.octets, byte(p.bits))
			p.bits >>= 8
		} else {
			p.octets = append(p.octets, byte(p.bits>>(p.have-8)))
		}
	}
}

// unpacker reads codes from octets, which must have them.
type unpacker struct {
	octets []byte
	order  Order
	bits   uint // that were read and not taken yet
	have   int  // how many
}

func (u *unpacker) next(width int) int {
	if u.have < width {
		if u.order == LittleEndian {
			u.bits |= uint(u.octets[0]) << u.have
		} else {
			u.bits = u.bits<<8 | uint(u.octets[0])
		}
		u.octets, u.have = u.octets[1:], u.have+8
	}
	u.have -= width
	mask := uint(1)<<width - 1
	if u.order == LittleEndian {
		code := u.bits & mask
		u.bits >>= width
		return int(code)
	}
	return int(u.bits >> u.have & mask)
}
