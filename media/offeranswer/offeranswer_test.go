package offeranswer

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

var (
	pcmu = codec.Format{Name: "PCMU", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 0}
	pcma = codec.Format{Name: "PCMA", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 8}
	g722 = codec.Format{Name: "G722", ClockRate: 8000, SampleRate: 16000, Channels: 1, PayloadType: 9}
	g726 = codec.Format{Name: "G726-32", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1}

	g723 = codec.Format{Name: "G723", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 4, FrameTime: 30 * time.Millisecond}
	ilbc = codec.Format{Name: "iLBC", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1, FrameTime: 20 * time.Millisecond, Fmtp: "mode=20"}
	opus = codec.Format{Name: "opus", ClockRate: 48000, SampleRate: 48000, Channels: 2, PayloadType: -1}

	ours  = []codec.Format{g722, pcmu, pcma, g726, g723, ilbc, opus}
	local = Local{Addr: netip.MustParseAddrPort("192.0.2.10:20000"), SessionID: 7, Version: 1}
)

// offer puts lines together, with the session part that every offer has.
func offer(lines ...string) []byte {
	head := []string{"v=0", "o=peer 1 1 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0"}
	return []byte(strings.Join(append(head, lines...), "\r\n") + "\r\n")
}

// CA9, CD1: what is agreed for offers that phones and gateways send.
func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer []byte
		want  Media
		lines []string // of the answer
	}{
		{
			name:  "static types without rtpmap",
			offer: offer("m=audio 4000 RTP/AVP 0 8"),
			want:  Media{Format: pcmu, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"m=audio 20000 RTP/AVP 0", "a=sendrecv", "c=IN IP4 192.0.2.10"},
		},
		{
			name: "the offerer's order counts; events by the clock of the audio",
			offer: offer("m=audio 4000 RTP/AVP 8 0 97 101", "a=rtpmap:97 telephone-event/16000",
				"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:30"),
			want:  Media{Format: pcma, DTMF: 101, Direction: SendRecv, PacketTime: 30 * time.Millisecond},
			lines: []string{"m=audio 20000 RTP/AVP 8 101", "a=ptime:30", "a=rtpmap:101 telephone-event/8000"},
		},
		{
			name:  "comfort noise where the peer has it",
			offer: offer("m=audio 4000 RTP/AVP 0 13"),
			want:  Media{Format: pcmu, ComfortNoise: 13, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"m=audio 20000 RTP/AVP 0 13", "a=rtpmap:13 CN/8000"},
		},
		{
			name:  "comfort noise by name, of the audio's clock",
			offer: offer("m=audio 4000 RTP/AVP 8 98 99", "a=rtpmap:98 cn/16000", "a=rtpmap:99 cn/8000"),
			want:  Media{Format: pcma, ComfortNoise: 99, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"m=audio 20000 RTP/AVP 8 99", "a=rtpmap:99 CN/8000"},
		},
		{
			name:  "VoIP metrics in extended reports (RFC 3611 section 5)",
			offer: offer("m=audio 4000 RTP/AVP 0", "a=rtcp-xr:rcvr-rtt=all:10 voip-metrics stat-summary=loss"),
			want:  Media{Format: pcmu, Direction: SendRecv, PacketTime: 20 * time.Millisecond, XR: true},
			lines: []string{"a=rtcp-xr:voip-metrics"},
		},
		{
			name:  "other extended reports are not for us",
			offer: offer("a=rtcp-xr:voip-metrics", "m=audio 4000 RTP/AVP 0", "a=rtcp-xr:stat-summary=loss"),
			want:  Media{Format: pcmu, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
		},
		{
			name:  "dynamic types by name, in any case",
			offer: offer("m=audio 4000 RTP/AVP 18 105", "a=rtpmap:105 g726-32/8000", "a=maxptime:10"),
			want: Media{Format: codec.Format{Name: "G726-32", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 105},
				Direction: SendRecv, PacketTime: 10 * time.Millisecond},
			lines: []string{"a=rtpmap:105 G726-32/8000"},
		},
		{
			name:  "packets of whole frames",
			offer: offer("m=audio 4000 RTP/AVP 4", "a=ptime:20"),
			want:  Media{Format: g723, Direction: SendRecv, PacketTime: 30 * time.Millisecond},
			lines: []string{"a=ptime:30", "a=maxptime:60"},
		},
		{
			name:  "packets of one frame where not even that may be",
			offer: offer("m=audio 4000 RTP/AVP 4", "a=maxptime:20"),
			want:  Media{Format: g723, Direction: SendRecv, PacketTime: 30 * time.Millisecond},
		},
		{
			name:  "the longer frames of two modes",
			offer: offer("m=audio 4000 RTP/AVP 98", "a=rtpmap:98 iLBC/8000", "a=fmtp:98 mode=30"),
			want: Media{Format: codec.Format{Name: "iLBC", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 98,
				FrameTime: 30 * time.Millisecond, Fmtp: "mode=30", Peer: "mode=30"}, Direction: SendRecv, PacketTime: 30 * time.Millisecond},
			lines: []string{"a=fmtp:98 mode=30"},
		},
		{
			name:  "no more than the peer can play",
			offer: offer("m=audio 4000 RTP/AVP 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 maxplaybackrate=16000"),
			want: Media{Format: codec.Format{Name: "opus", ClockRate: 48000, SampleRate: 16000, Channels: 2, PayloadType: 111,
				Fmtp: "maxplaybackrate=16000", Peer: "maxplaybackrate=16000"}, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"a=rtpmap:111 opus/48000/2", "a=fmtp:111 maxplaybackrate=16000"},
		},
		{
			name:  "events of the one clock that there is",
			offer: offer("m=audio 4000 RTP/AVP 111 101", "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"),
			want: Media{Format: codec.Format{Name: "opus", ClockRate: 48000, SampleRate: 48000, Channels: 2, PayloadType: 111},
				DTMF: 101, DTMFClock: 8000, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"a=rtpmap:101 telephone-event/8000"},
		},
		{
			name:  "events of the clock of the audio",
			offer: offer("m=audio 4000 RTP/AVP 111 101 102", "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:102 telephone-event/48000"),
			want: Media{Format: codec.Format{Name: "opus", ClockRate: 48000, SampleRate: 48000, Channels: 2, PayloadType: 111},
				DTMF: 102, Direction: SendRecv, PacketTime: 20 * time.Millisecond},
			lines: []string{"a=rtpmap:102 telephone-event/48000"},
		},
		{
			name:  "hold by direction",
			offer: offer("m=audio 4000 RTP/AVP 9", "a=sendonly"),
			want:  Media{Format: g722, Direction: RecvOnly, PeerOnHold: true, PacketTime: 20 * time.Millisecond},
			lines: []string{"a=recvonly"},
		},
		{
			name:  "hold at session level, inactive",
			offer: []byte("v=0\r\no=peer 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\na=inactive\r\nm=audio 4000 RTP/AVP 0\r\n"),
			want:  Media{Format: pcmu, Direction: Inactive, PeerOnHold: true, PacketTime: 20 * time.Millisecond},
			lines: []string{"a=inactive"},
		},
		{
			name:  "hold as in RFC 2543",
			offer: offer("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0"),
			want: Media{Format: pcmu, Direction: SendRecv, PeerOnHold: true, PacketTime: 20 * time.Millisecond,
				Remote: netip.MustParseAddrPort("0.0.0.0:4000"), RemoteRTCP: netip.MustParseAddrPort("0.0.0.0:4001")},
		},
		{
			name:  "video and encrypted audio are refused in their place",
			offer: offer("m=video 5000 RTP/AVP 31", "m=audio 4002 RTP/SAVP 0", "m=audio 4000 RTP/AVP 0", "a=rtcp:4444"),
			want: Media{Format: pcmu, Direction: SendRecv, PacketTime: 20 * time.Millisecond,
				RemoteRTCP: netip.MustParseAddrPort("198.51.100.1:4444")},
			lines: []string{"m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, got, err := Answer(c.offer, ours, local)
			if err != nil {
				t.Fatal(err)
			}
			if !c.want.Remote.IsValid() {
				c.want.Remote = netip.MustParseAddrPort("198.51.100.1:4000")
			}
			if !c.want.RemoteRTCP.IsValid() {
				c.want.RemoteRTCP = netip.MustParseAddrPort("198.51.100.1:4001")
			}
			got.RemoteOwner = ""
			if got != c.want {
				t.Errorf("agreed\n%+v, want\n%+v", got, c.want)
			}
			for _, line := range c.lines {
				if !strings.Contains(string(text), line) {
					t.Errorf("the answer lacks %q:\n%s", line, text)
				}
			}
		})
	}
}

func TestAnswerRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer []byte
		want  error
	}{
		{"nothing in common", offer("m=audio 4000 RTP/AVP 18 3"), ErrNoCommonMedia},
		{"no audio", offer("m=video 5000 RTP/AVP 31"), ErrNoCommonMedia},
		{"no media", offer(), ErrNoCommonMedia},
		{"not SDP", []byte("hello"), ErrMalformed},
		{"empty", nil, ErrMalformed},
		{"no address", []byte("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"), ErrMalformed},
		{"a host name", offer("m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example.com"), ErrMalformed},
		{"multicast", offer("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.1.1.1/127"), ErrMalformed},
		{"payload type out of range", offer("m=audio 4000 RTP/AVP 300"), ErrMalformed},
	} {
		if _, _, err := Answer(c.offer, ours, local); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// CA9: late offer. Our offer, answered by ourselves, is agreed at both ends.
func TestOfferAndAnswerAgree(t *testing.T) {
	for d := SendRecv; d <= Inactive; d++ {
		text, err := Offer(ours, local, d)
		if err != nil {
			t.Fatal(err)
		}
		remote := Local{Addr: netip.MustParseAddrPort("[2001:db8::2]:30000"), SessionID: 9, Version: 1}
		answer, theirs, err := Answer(text, ours, remote)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := ReadAnswer(answer, ours, d)
		if err != nil {
			t.Fatal(err)
		}
		if mine.Format != theirs.Format || mine.DTMF != theirs.DTMF || mine.DTMF != offeredEvent {
			t.Errorf("%v: %+v\n%+v", d, mine, theirs)
		}
		if mine.Direction != d || theirs.Direction != d.Mirror() {
			t.Errorf("offered %v, agreed %v and %v", d, mine.Direction, theirs.Direction)
		}
		if mine.Remote != remote.Addr || theirs.Remote != local.Addr {
			t.Errorf("addresses %v and %v", mine.Remote, theirs.Remote)
		}
	}
}

// CA6: what is offered on behalf of a third party names its ports, that of RTCP too.
func TestOfferOnBehalfOfAnother(t *testing.T) {
	caller := Media{Format: g726, DTMF: 97, PacketTime: 30 * time.Millisecond}
	caller.Format.PayloadType = 105
	there := local
	there.RTCP = 21000
	text, err := OfferSame(caller, there, SendOnly)
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := Answer(text, ours, Local{Addr: netip.MustParseAddrPort("192.0.2.11:30000"), SessionID: 9, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := Media{Format: caller.Format, DTMF: 97, PacketTime: 30 * time.Millisecond, Direction: RecvOnly, PeerOnHold: true,
		Remote: there.Addr, RemoteRTCP: netip.AddrPortFrom(there.Addr.Addr(), 21000), RemoteOwner: got.RemoteOwner}
	if got != want {
		t.Errorf("agreed\n%+v, want\n%+v\n%s", got, want, text)
	}
}

// SE4: whatever arrives, an error or an agreement that holds together.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(offer("m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20.0", "a=rtcp:9 IN IP4 1.2.3.4")))
	f.Add([]byte(offer("m=audio 4000/2 RTP/AVPF 9", "a=rtpmap:9 G722/8000/1", "a=fmtp:9 x", "a=sendonly")))
	f.Fuzz(func(t *testing.T, text []byte) {
		answer, m, err := Answer(text, ours, local)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNoCommonMedia) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if m.PacketTime < 10*time.Millisecond || m.PacketTime > 60*time.Millisecond || !m.Remote.IsValid() {
			t.Fatalf("%+v", m)
		}
		if _, err := parse(answer); err != nil {
			t.Fatalf("our answer cannot be read: %v\n%s", err, answer)
		}
	})
}
