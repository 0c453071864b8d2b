package session

import (
	"math"
	"testing"

	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/playout"
)

func levelOf(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return 10*math.Log10(sum/float64(len(pcm))+1e-9) - 90.3
}

// SPEC CD3: comfort noise is played at the level that the peer says, from the end of its
// voice to the beginning of the next, and no packet counts as lost. The static type is
// taken whether it was agreed on or not.
func TestComfortNoise(t *testing.T) {
	for _, agreed := range []uint8{0, offeranswer.StaticNoise} {
		s, _ := open(t)
		p := newPeer(t)
		m := p.media(offeranswer.SendRecv)
		m.ComfortNoise = agreed
		apply(t, s, m, 0)
		pcm, now := make([]int16, 160), 0
		read := func(payloadType uint8, payload []byte) playout.Status {
			if payload != nil {
				p.send(s, payloadType, payload)
			} else {
				p.ts += 160
			}
			s.Receive(tick(now))
			now++
			_, status := s.Read(pcm)
			return status
		}
		voice := make([]byte, 160)
		for range 20 {
			read(0, voice)
		}
		read(offeranswer.StaticNoise, []byte{50, 1, 2, 3})
		var pause []int16
		for i := range 30 {
			status := read(0, nil)
			if i >= 2 { // what waited has been played
				pause = append(pause, pcm...)
				if status != playout.Silence {
					t.Fatalf("frame %d of the pause has status %v", i, status)
				}
			}
		}
		if level := levelOf(pause); math.Abs(level+50) > 2 {
			t.Errorf("the pause has %.1f dBFS", level)
		}
		for range 10 {
			read(0, voice)
		}
		st := s.Stats()
		if st.Playout.Lost != 0 || st.Malformed != 0 || st.Playout.Concealed != 0 {
			t.Errorf("%+v", st)
		}
		for range 30 { // the peer vanishes: it has not said that it pauses
			read(0, nil)
		}
		if level := levelOf(pcm); level > -90 {
			t.Errorf("when nothing comes any more %.1f dBFS are played", level)
		}
		read(offeranswer.StaticNoise, []byte{0})
		for range 10 {
			read(0, nil)
		}
		if level := levelOf(pcm); level > loudestNoise+2 {
			t.Errorf("a peer makes noise of %.1f dBFS", level)
		}
	}
}
