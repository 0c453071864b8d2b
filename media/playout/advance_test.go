package playout

import (
	"testing"
	"time"
)

// numbered is a decoder of packets of 20 ms that hold their number, and counts them.
type numbered struct{ decoded int }

func (d *numbered) Decode(pcm []int16, payload []byte) (int, error) {
	d.decoded++
	for i := range 160 {
		pcm[i] = 1000 + int16(payload[0])
	}
	return 160, nil
}

// SPEC CF13: who is not heard is not decoded, and loses nothing when it is heard again:
// the next frame is the one whose turn it is, at the same delay, and no packet is lost.
func TestAdvance(t *testing.T) {
	for _, unheard := range []int{1, 7, 100} {
		decoder := &numbered{}
		b := New(Config{Decoder: decoder})
		pcm := make([]int16, 160)
		number := 0
		push := func() {
			b.Push(uint16(number), uint32(160*number), []byte{byte(number)}, time.Duration(number)*Frame)
			number++
		}
		for range 20 {
			push()
			b.Read(pcm)
		}
		before, delay := decoder.decoded, number-(int(pcm[80])-1000)
		for range unheard {
			push()
			b.Advance()
		}
		if decoder.decoded != before {
			t.Errorf("%d packets were decoded in %d frames", decoder.decoded-before, unheard)
		}
		push()
		if status := b.Read(pcm); status != Voice || number-(int(pcm[80])-1000) != delay {
			t.Errorf("after %d frames: status %v, number %d when %d has come, at a delay of %d", unheard, status, pcm[80]-1000, number, delay)
		}
		if s := b.Stats(); s.Lost != 0 || s.Late != 0 || s.Discarded != 0 || s.Passed != uint64(unheard) || s.Voice != 20-uint64(delay)+2 {
			t.Errorf("after %d frames: %+v", unheard, s)
		}
	}
}

// Where nothing was sent meanwhile, nothing is made up: it was not heard.
func TestAdvanceThroughSilence(t *testing.T) {
	decoder := &numbered{}
	b := New(Config{Decoder: decoder})
	pcm := make([]int16, 160)
	b.Advance() // before the first packet
	for i := range 10 {
		b.Push(uint16(i), uint32(160*i), []byte{byte(i)}, time.Duration(i)*Frame)
		b.Read(pcm)
	}
	for range 50 {
		b.Advance()
	}
	if status := b.Read(pcm); status != Silence || pcm[0] != 0 {
		t.Errorf("status %v, sample %d", status, pcm[0])
	}
	for i := 61; i < 70; i++ { // it goes on after the pause
		b.Push(uint16(i-51), uint32(160*i), []byte{byte(i)}, time.Duration(i)*Frame)
		b.Read(pcm)
	}
	if pcm[80] < 1000+66 {
		t.Errorf("number %d is played when 69 has come", pcm[80]-1000)
	}
}
