package gsm

// shortTerm replaces the samples of a frame by what the filter leaves of them, d
// (section 5.2.10).
func (e *Encoder) shortTerm(s *[FrameSamples]int16) {
	for i, p := range parts {
		r := e.areas.filter(i)
		for k := p.from; k < p.to; k++ {
			forward, backward := s[k], s[k]
			for j, c := range r {
				u := e.lattice[j]
				e.lattice[j] = backward
				backward = add(u, mulRound(c, forward))
				forward = add(forward, mulRound(c, u))
			}
			s[k] = forward
		}
	}
}

// shortTerm is the inverse filter: it makes samples of what the encoder's left,
// sr (section 5.3.4).
func (d *Decoder) shortTerm(s *[FrameSamples]int16) {
	for i, p := range parts {
		r := d.areas.filter(i)
		for k := p.from; k < p.to; k++ {
			forward := s[k]
			for j := order - 1; j >= 0; j-- {
				forward = sub(forward, mulRound(r[j], d.lattice[j]))
				d.lattice[j+1] = add(d.lattice[j], mulRound(r[j], forward))
			}
			d.lattice[0] = forward
			s[k] = forward
		}
	}
}
