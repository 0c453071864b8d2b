package callflow

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// handset is a telephone that does what real ones do once in a while: refuses a
// re-INVITE, changes its codec in mid-call, has no telephone events and keys by tones,
// sends its RTP to where it began. It is a signaling.DialogHandler and an engine.Ticker.
type handset struct {
	*pair
	sip    *signaling.Endpoint
	dialog *signaling.Dialog
	ended  chan signaling.End

	mu       sync.Mutex
	media    *session.Session
	says     float64 // Hz; 0: it sends no RTP
	at       int     // sample of the tone
	keys     []int16 // still to be sent
	heard    tone.Sound
	version  uint64
	refuses  int  // status of its answers to re-INVITEs; 0: it takes them
	stubborn bool // it answers them, and its RTP goes to where it went
	offers   int  // that came
	sdpAddr  netip.AddrPort
}

// handset starts one that says a tone; a port other than 0 is what it tells of its RTP.
func (p *pair) handset(n int, pretended uint16) *handset {
	p.Helper()
	h := &handset{pair: p, says: tone.Caller(n), ended: make(chan signaling.End, 1), heard: tone.Sound{Rate: 8000}}
	first := uint16(loopback.Ports(p, 4))
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), first, first+3)
	p.must(err)
	h.media, err = session.Open(ports, codec.Standard())
	p.must(err)
	p.Cleanup(h.media.Close)
	h.sdpAddr = h.media.Addr()
	if pretended != 0 {
		h.sdpAddr = netip.AddrPortFrom(h.sdpAddr.Addr(), pretended)
	}
	h.sip, err = signaling.Listen(signaling.Config{Listen: []signaling.ListenAddr{{Network: "udp", Addr: loopback.Address(loopback.Ports(p, 1))}},
		Logger: hclog.NewNullLogger(), Clock: clockwork.NewRealClock()}, nobody{})
	p.must(err)
	ticks := engine.New(1)
	ticks.Add(h)
	p.run(ticks.Run, h.sip.Run)
	return h
}

// nobody takes no calls.
type nobody struct{}

func (nobody) ServeInvite(_ context.Context, in *signaling.Invite) {
	_ = in.Reject(signaling.Rejection{Status: 486})
}

// call calls a node.
func (h *handset) call(ctx context.Context, n int, node string) {
	h.Helper()
	offer, err := h.LocalOffer()
	h.must(err)
	dialog, answer, err := h.sip.Dial(ctx, signaling.DialRequest{Target: "sip:" + testNumber + "@" + h.nodes[node].sip.Addrs()[0].Addr.String(),
		From: signaling.Party{User: fmt.Sprint("caller", n)}, Offer: offer}, h)
	h.must(err)
	h.dialog = dialog
	h.must(h.RemoteAnswer(answer))
}

// press sends keys as tones, in place of what it says.
func (h *handset) press(keys string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = append(h.keys, tone.Keys(8000, keys, -10, 120*time.Millisecond, 120*time.Millisecond).Samples...)
}

func (h *handset) set(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

func (h *handset) local() offeranswer.Local {
	h.version++
	return offeranswer.Local{Addr: h.sdpAddr, SessionID: 1, Version: h.version}
}

func (h *handset) format(name string) codec.Format {
	for _, f := range codec.Standard().Formats() {
		if f.Name == name {
			return f
		}
	}
	h.Fatal("no codec ", name)
	return codec.Format{}
}

// offer is one of a codec and a direction, without telephone events.
func (h *handset) offer(name string, d offeranswer.Direction) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return offeranswer.OfferSame(offeranswer.Media{Format: h.format(name), PacketTime: session.FrameTime}, h.local(), d)
}

// renegotiate changes the call by re-INVITE.
func (h *handset) renegotiate(ctx context.Context, name string, d offeranswer.Direction) {
	h.Helper()
	offer, err := h.offer(name, d)
	h.must(err)
	h.must(h.dialog.Negotiate(ctx, func() ([]byte, error) { return offer, nil }, func(answer []byte) error {
		agreed, err := offeranswer.ReadAnswer(answer, []codec.Format{h.format(name)}, d)
		if err != nil {
			return err
		}
		return h.media.Apply(agreed, h.nodes["a"].media.Now())
	}))
}

func (h *handset) LocalOffer() ([]byte, error) { return h.offer("PCMU", offeranswer.SendRecv) }

func (h *handset) RemoteAnswer(answer []byte) error {
	agreed, err := offeranswer.ReadAnswer(answer, []codec.Format{h.format("PCMU")}, offeranswer.SendRecv)
	if err != nil {
		return err
	}
	return h.media.Apply(agreed, h.nodes["a"].media.Now())
}

func (h *handset) Offer(offer []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offers++
	if h.refuses != 0 {
		return nil, &signaling.StatusError{Status: h.refuses}
	}
	answer, agreed, err := offeranswer.Answer(offer, codec.Standard().Formats(), h.local())
	if err != nil || h.stubborn {
		return answer, err
	}
	return answer, h.media.Apply(agreed, h.nodes["a"].media.Now())
}

func (h *handset) Info(string, []byte) int { return 415 }

func (h *handset) Ended(end signaling.End) { h.ended <- end }

// Tick hears and says one frame, at 8 kHz.
func (h *handset) Tick(now time.Duration, by *session.Traffic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var frame [320]int16
	by.Receive(h.media, now)
	n, _ := h.media.Read(frame[:])
	if n != 160 {
		return
	}
	h.heard.Samples = append(h.heard.Samples, frame[:n]...)
	if h.says == 0 {
		return
	}
	if len(h.keys) > 0 {
		copied := copy(frame[:n], h.keys)
		clear(frame[copied:n])
		h.keys = h.keys[copied:]
	} else {
		copy(frame[:n], h.tone(n))
	}
	by.Send(h.media, frame[:n])
}

// tone is the next of what it says.
func (h *handset) tone(n int) []int16 {
	second := tone.Sine(8000, h.says, -20, time.Second).Samples // whole periods of whole Hz
	at := h.at
	h.at = (h.at + n) % len(second)
	return second[at : at+n]
}

// hears waits until the newest second has a tone, or has it not.
func (h *handset) hears(frequency float64, is bool) {
	h.Helper()
	h.eventually(fmt.Sprintf("a handset hears %.0f Hz: %v", frequency, is), func() bool {
		newest := h.newest(time.Second)
		return len(newest.Samples) == 8000 && tone.Heard(newest.Samples, 8000, 0, time.Second, frequency) == is
	})
}

// hearsWords waits until it has heard half a second of sound since it had heard so much.
func (h *handset) hearsWords(since time.Duration) {
	h.Helper()
	h.eventually("a handset hears words", func() bool {
		heard, loud := h.newest(time.Hour).Between(since, time.Hour), 0
		for len(heard.Samples) >= 400 {
			if tone.RMS(heard.Samples[:400]) > -40 {
				loud++
			}
			heard.Samples = heard.Samples[400:]
		}
		return loud >= 10
	})
}

// stretched is how alike a prompt is at least that the handset's own jitter buffer has
// stretched and shortened; another prompt is far less so.
const stretched = tone.Alike - 0.25

// hearsSaid waits until a prompt has been said to it. It looks once for each second that
// it has heard: looking costs time that the call needs.
func (h *handset) hearsSaid(said tone.Sound) {
	h.Helper()
	looked, best := 0, 0.0
	h.eventually("a handset hears what is said", func() bool {
		h.mu.Lock()
		n := len(h.heard.Samples)
		h.mu.Unlock()
		if n-looked < 8000 && len(h.ended) == 0 {
			return false
		}
		from := time.Duration(max(0, looked-len(said.Samples))) * time.Second / 8000
		looked = n
		_, likeness := tone.Find(h.newest(time.Hour).Between(from, time.Hour), said)
		best = max(best, likeness)
		return best >= stretched
	})
}

func (h *handset) newest(d time.Duration) tone.Sound {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(len(h.heard.Samples), int(d.Seconds()*8000))
	return tone.Sound{Rate: 8000, Samples: append([]int16(nil), h.heard.Samples[len(h.heard.Samples)-n:]...)}
}
