package session

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/offeranswer"
)

// relayPair is two sessions with a relay between them.
type relayPair struct {
	t      *testing.T
	caller *peer // at a
	focus  *peer // at b
	a, b   *Session
	relay  *Relay
	by     *Traffic
	now    int
}

func newRelayPair(t *testing.T) *relayPair {
	a, ports := open(t)
	b, err := Open(ports, a.registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	r := &relayPair{t: t, caller: newPeer(t), focus: newPeer(t), a: a, b: b, relay: NewRelay(a, b, new(atomic.Uint64))}
	if r.by, err = NewBatchedTraffic(); err != nil {
		t.Log("every packet is sent by itself: ", err)
		r.by = NewTraffic()
	}
	t.Cleanup(func() { r.by.Close() })
	apply(t, a, r.caller.media(offeranswer.SendRecv), 0)
	m := r.focus.media(offeranswer.SendRecv)
	m.DTMF = 96 // the two sides number telephone events differently
	apply(t, b, m, 0)
	return r
}

func (r *relayPair) tick() {
	r.relay.Tick(tick(r.now), r.by)
	r.by.Flush()
	r.now++
}

// got are the packets that arrived at a peer.
func (r *relayPair) got(p *peer) (list []rtp.Packet) {
	r.t.Helper()
	for _, b := range p.receive(p.rtp) {
		var packet rtp.Packet
		if err := packet.Unmarshal(b); err != nil {
			r.t.Fatal(err)
		}
		packet.Payload = slices.Clone(packet.Payload)
		list = append(list, packet)
	}
	return list
}

// continuous checks one stream: one SSRC, numbers without gaps, a clock that does not
// go back.
func continuous(t *testing.T, list []rtp.Packet) {
	t.Helper()
	for i, p := range list[1:] {
		last := list[i]
		if p.SSRC != last.SSRC || p.SequenceNumber != last.SequenceNumber+1 || int32(p.Timestamp-last.Timestamp) < 0 {
			t.Errorf("packet %d: %v after %v", i+1, p.Header, last.Header)
		}
	}
}

// CA6: what is relayed arrives as it was sent, as one stream with what was mixed here
// before and after, even when another node goes on with it.
func TestRelayedAudioIsOneStream(t *testing.T) {
	r := newRelayPair(t)
	frame, voice := make([]int16, 160), []byte{1, 2, 3, 4}
	r.a.Send(frame) // a prompt of ours
	for range 3 {
		r.focus.send(r.b, 0, voice)
		r.caller.send(r.a, 0, voice)
		r.tick()
	}
	r.a.Send(frame)
	r.a.Send(frame)
	r.focus.seq, r.focus.ts = 60000, 1<<31 // the focus has restarted
	for range 3 {
		r.focus.send(r.b, 0, voice)
		r.tick()
	}
	heard := r.got(r.caller)
	if len(heard) != 9 || !slices.Equal(heard[1].Payload, voice) || !heard[1].Marker || heard[2].Marker {
		t.Fatalf("the caller got %v", heard)
	}
	continuous(t, heard)
	if sent := r.got(r.focus); len(sent) != 3 || !slices.Equal(sent[0].Payload, voice) {
		t.Errorf("the focus got %v", sent)
	}
	if n := r.relay.passed.Load(); n != 9 {
		t.Errorf("%d packets counted of 9 that were passed on", n)
	}
}

// Loss on the one side is seen on the other, and nothing else is.
func TestRelayKeepsGapsAndOrder(t *testing.T) {
	r := newRelayPair(t)
	for i := range 6 {
		switch i {
		case 2:
			r.caller.seq, r.caller.ts = r.caller.seq+1, r.caller.ts+160 // lost
		case 4:
			r.caller.seq, r.caller.ts = r.caller.seq-3, r.caller.ts-480 // comes late
		case 5:
			r.caller.seq, r.caller.ts = r.caller.seq+2, r.caller.ts+320
		}
		r.caller.send(r.a, 0, []byte{byte(i)})
		r.tick()
	}
	var numbers []int
	got := r.got(r.focus)
	for _, p := range got {
		numbers = append(numbers, int(p.SequenceNumber-got[0].SequenceNumber))
	}
	if want := []int{0, 1, 3, 4, 2, 5}; !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
}

// CD3: digits pass as events, numbered as the other side has it.
func TestRelayTranslatesEvents(t *testing.T) {
	r := newRelayPair(t)
	r.caller.send(r.a, 0, []byte{1})
	r.caller.send(r.a, 101, []byte{5, 0x0a, 0, 160})
	r.tick()
	got := r.got(r.focus)
	if len(got) != 2 || got[1].PayloadType != 96 || got[0].PayloadType != 0 || got[1].Payload[0] != 5 {
		t.Errorf("the focus got %v", got)
	}
	m := r.focus.media(offeranswer.SendRecv)
	m.DTMF = 0
	apply(t, r.b, m, tick(r.now))
	r.caller.send(r.a, 101, []byte{5, 0x8a, 0, 160})
	r.caller.send(r.a, 0, []byte{1})
	r.tick()
	more := r.got(r.focus)
	if len(more) != 1 || more[0].SequenceNumber != got[1].SequenceNumber+1 {
		t.Errorf("an event that the other side cannot take: %v after %v", more, got[1].Header)
	}
}

// The end of the key that ended the access code is no key for the conference, and a key
// that the conference took is none for whoever goes on afterwards.
func TestRelayTakesEachKeyOnce(t *testing.T) {
	r := newRelayPair(t)
	event := []byte{11, 0x0a, 0, 160} // the pound key
	r.caller.send(r.a, 101, event)
	r.a.Receive(tick(r.now))
	if _, ok := r.a.Digit(); !ok {
		t.Fatal("no digit here")
	}
	r.relay = NewRelay(r.a, r.b, new(atomic.Uint64))
	r.caller.send(r.a, 101, event)
	r.tick()
	if got := r.got(r.focus); len(got) != 0 {
		t.Errorf("the key was passed on: %v", got)
	}
	r.caller.ts += 800
	r.caller.send(r.a, 101, event)
	r.caller.send(r.a, 101, event)
	r.tick()
	if got := r.got(r.focus); len(got) != 2 {
		t.Errorf("another key: %v", got)
	}
	r.caller.send(r.a, 101, event)
	r.a.Receive(tick(r.now))
	if d, ok := r.a.Digit(); ok {
		t.Errorf("after the relay it is taken again: %v", d)
	}
}

// SE3, CA9: strays are not relayed, nor is what a held call sends.
func TestRelayPassesOnOnlyThePeers(t *testing.T) {
	r := newRelayPair(t)
	stranger := newPeer(t)
	r.caller.send(r.a, 0, []byte{1})
	r.tick()
	for range 3 {
		stranger.send(r.a, 0, []byte{2})
	}
	r.tick()
	apply(t, r.a, r.caller.media(offeranswer.Inactive), tick(r.now))
	r.caller.send(r.a, 0, []byte{3})
	r.focus.send(r.b, 0, []byte{4})
	r.tick()
	if got := r.got(r.focus); len(got) != 1 {
		t.Errorf("the focus got %v", got)
	}
	if got := r.got(r.caller); len(got) != 0 {
		t.Errorf("the caller on hold got %v", got)
	}
	if st := r.a.Stats(); st.Strays != 3 || st.Received != 2 {
		t.Errorf("%+v", st)
	}
}

// Both sides get reports of what this node received from them.
func TestRelayReports(t *testing.T) {
	r := newRelayPair(t)
	for range 500 {
		r.caller.send(r.a, 0, []byte{1})
		r.focus.send(r.b, 0, []byte{1})
		r.tick()
	}
	for name, p := range map[string]*peer{"caller": r.caller, "focus": r.focus} {
		reports := p.receive(p.rtcp)
		if len(reports) == 0 {
			t.Fatalf("no report for the %s", name)
		}
		packets, err := rtcp.Unmarshal(reports[len(reports)-1])
		if err != nil {
			t.Fatal(err)
		}
		report, ok := packets[0].(*rtcp.SenderReport)
		if !ok || len(report.Reports) != 1 || report.Reports[0].SSRC != 7 || report.Reports[0].TotalLost != 0 || report.PacketCount == 0 {
			t.Errorf("%s: %v", name, packets)
		}
	}
}

func TestRelayAllocatesNothing(t *testing.T) {
	r := newRelayPair(t)
	for range 6 * maxDrain {
		r.caller.send(r.a, 0, []byte{1})
	}
	allocations := testing.AllocsPerRun(5, func() { r.tick() })
	if got := len(r.got(r.focus)); allocations > 0 || got != 6*maxDrain {
		t.Errorf("%v allocations in a tick, %d packets passed on", allocations, got)
	}
}
