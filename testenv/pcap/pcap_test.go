package pcap

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/pion/rtp"
)

func parse(t *testing.T, s *Stream) []rtp.Packet {
	t.Helper()
	parsed := make([]rtp.Packet, len(s.packets))
	for i, p := range s.packets {
		if err := parsed[i].Unmarshal(p.data); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
	return parsed
}

func TestOneStreamOfSoundAndKeys(t *testing.T) {
	s := New(PCMU).Sound(tone.Sine(rate, 420, -20, 50*time.Millisecond)).Keys("5#").Sound(tone.Sine(rate, 420, -20, 40*time.Millisecond))
	if want := 60*time.Millisecond + 2*200*time.Millisecond + 40*time.Millisecond; s.Duration() != want {
		t.Errorf("it lasts %v, want %v", s.Duration(), want)
	}
	packets := parse(t, s)
	for i, p := range packets {
		if p.SSRC != packets[0].SSRC || p.SequenceNumber != packets[0].SequenceNumber+uint16(i) {
			t.Errorf("packet %d: SSRC %x, sequence number %d", i, p.SSRC, p.SequenceNumber)
		}
		// Sound goes on at the time that the keys have left off.
		if at := s.packets[i].at; p.PayloadType != EventType && p.Timestamp-packets[0].Timestamp != uint32(at*rate/time.Second) {
			t.Errorf("packet %d, sent at %v, has time %d", i, at, p.Timestamp-packets[0].Timestamp)
		}
	}
	// Three of sound, then 5: four packets and three ends, of one timestamp.
	five := packets[3:10]
	for i, p := range five {
		end, duration := p.Payload[1]>>7, binary.BigEndian.Uint16(p.Payload[2:])
		wantEnd, wantDuration := byte(i/4), uint16(min(i+1, 5)*160)
		if p.Marker != (i == 0) || p.Timestamp != five[0].Timestamp || p.Payload[0] != 5 || end != wantEnd || duration != wantDuration {
			t.Errorf("event packet %d: %v end %d duration %d", i, p.Header, end, duration)
		}
	}
	if next := packets[10]; next.PayloadType != 0 || !next.Marker {
		t.Errorf("after the key: %v", next.Header)
	}
}

func TestOnlyTheEndOfAKey(t *testing.T) {
	packets := parse(t, New(PCMA).Event('1', 100*time.Millisecond, true))
	if len(packets) != 3 || packets[0].Payload[1]>>7 != 1 {
		t.Errorf("%d packets: %v", len(packets), packets)
	}
}

// Every 16-bit value becomes the octet that sox expands to the nearest value.
func TestG711AgreesWithSox(t *testing.T) {
	tools.Need(t, tools.Sox)
	for codec, name := range map[Codec]string{PCMU: "ul", PCMA: "al"} {
		octets := make([]byte, 1<<16)
		for v := range octets {
			octets[v] = codec.Encode(int16(v))
		}
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		table := soxDecode(t, name, all)
		for v, octet := range octets {
			nearest := 1 << 16
			for _, value := range table {
				nearest = min(nearest, distance(int16(v), value))
			}
			// Where one segment meets the next, the limit between two octets is
			// not in the middle: the farther may be twice as far. The two lowest
			// bits (three with A-law) are cut off.
			if d := distance(int16(v), table[octet]); d > 2*nearest+16 {
				t.Fatalf("%s: %d becomes %#x, which is %d; another is %d away", name, int16(v), octet, table[octet], nearest)
			}
		}
	}
}

func soxDecode(t *testing.T, kind string, octets []byte) []int16 {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in."+kind)
	if err := os.WriteFile(in, octets, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sox", "-D", "-r", "8000", in, "-t", "raw", "-b", "16", "-e", "signed", "-L", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, len(out)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(out[2*i:]))
	}
	return samples
}

func distance(a, b int16) int { return max(int(a)-int(b), int(b)-int(a)) }
