package server

import (
	"fmt"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/codec"
)

// openCodecs tries the codecs, and tells which there are: one line for each backend that
// works, and one for each that does not, with what to install.
func (n *Node) openCodecs() {
	n.codecs = codec.All(mixer.MaxRate, false)
	var backends []string
	on, off := map[string][]string{}, map[string][]string{}
	why := map[string]error{}
	for _, s := range n.codecs.Status() {
		if on[s.Backend] == nil && off[s.Backend] == nil {
			backends = append(backends, s.Backend)
		}
		name := fmt.Sprintf("%s/%d", s.Name, s.ClockRate)
		if s.Available {
			on[s.Backend] = append(on[s.Backend], name)
		} else {
			off[s.Backend], why[s.Backend] = append(off[s.Backend], name), s.Reason
		}
	}
	logger := n.logger.Named("codec")
	for _, b := range backends {
		if list := on[b]; list != nil {
			logger.Info("on", "backend", b, "codecs", list)
		}
		if list := off[b]; list != nil {
			logger.Info("off", "backend", b, "codecs", list, "reason", why[b])
		}
	}
}
