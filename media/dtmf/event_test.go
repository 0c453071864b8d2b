package dtmf

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// packet is what is on the line.
type packet struct {
	timestamp uint32
	marker    bool
	payload   [4]byte
}

// press makes the packets of one key.
func press(t testing.TB, d Digit, timestamp, duration uint32) []packet {
	t.Helper()
	s, err := NewSender(d, timestamp, duration, 160, -10)
	if err != nil {
		t.Fatal(err)
	}
	var all []packet
	for {
		var p packet
		var ok bool
		if p.timestamp, p.marker, ok = s.Next(p.payload[:]); !ok {
			return all
		}
		all = append(all, p)
	}
}

func receive(r *Receiver, packets []packet) (digits string) {
	for _, p := range packets {
		if d, ok := r.Packet(p.timestamp, p.marker, p.payload[:]); ok {
			digits += d.String()
		}
	}
	return digits
}

func TestSenderFollowsRFC4733(t *testing.T) {
	all := press(t, '#', 1000, 400)
	want := []packet{
		{1000, true, [4]byte{11, 10, 0, 160}},
		{1000, false, [4]byte{11, 10, 1, 64}},
		{1000, false, [4]byte{11, 0x80 | 10, 1, 144}},
		{1000, false, [4]byte{11, 0x80 | 10, 1, 144}},
		{1000, false, [4]byte{11, 0x80 | 10, 1, 144}},
	}
	if len(all) != len(want) {
		t.Fatalf("%d packets: %v", len(all), all)
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("packet %d is %v, want %v", i, all[i], want[i])
		}
	}
}

// TestLongKeyIsOneDigit: its segments follow each other (section 2.5.1.3), also
// with the last packets of one and the first of the next one lost.
func TestLongKeyIsOneDigit(t *testing.T) {
	all := press(t, '7', 0xffff0000, 3*65535+500)
	for _, lose := range []int{0, 1, 5, 50} {
		var kept []packet
		for i, p := range all {
			elapsed := i * 160 % 65535
			if elapsed > lose*160 || lose == 0 {
				kept = append(kept, p)
			}
		}
		if got := receive(&Receiver{}, kept); got != "7" {
			t.Errorf("without the first %d packets of each segment: %q", lose, got)
		}
	}
}

func TestReceiverCases(t *testing.T) { // SPEC CA4
	five := func(ts uint32, marker bool, end bool, duration uint16) packet {
		p := packet{ts, marker, [4]byte{5, 10, byte(duration >> 8), byte(duration)}}
		if end {
			p.payload[1] |= 0x80
		}
		return p
	}
	cases := map[string]struct {
		packets []packet
		want    string
	}{
		"only the end":             {[]packet{five(1, false, true, 800), five(1, false, true, 800)}, "5"},
		"end before start":         {[]packet{five(1, false, true, 800), five(1, true, false, 160)}, "5"},
		"same key twice":           {[]packet{five(1, true, false, 160), five(1, false, true, 800), five(2000, true, false, 160)}, "55"},
		"twice, first never ended": {[]packet{five(1, true, false, 160), five(2000, false, false, 160)}, "55"},
		"twice at once, by marker": {[]packet{five(0, true, false, 160), five(160, true, false, 160)}, "55"},
		"across the clock's wrap":  {[]packet{five(0xffffff00, true, false, 160), five(0xffffff00, false, true, 800), five(1000, true, false, 1)}, "55"},
		"late packet of the first": {[]packet{five(1, true, false, 160), five(9000, true, false, 160), five(1, false, true, 800)}, "55"},
		"unknown events":           {[]packet{{1, true, [4]byte{16, 10, 0, 160}}, {2, true, [4]byte{255, 10, 0, 160}}}, ""},
		"duration of zero":         {[]packet{five(1, true, false, 0), five(1, false, false, 160)}, "5"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := receive(&Receiver{}, c.packets); got != c.want {
				t.Errorf("received %q, want %q", got, c.want)
			}
		})
	}
}

// TestOnceWhateverTheNetworkDoes: keys whose packets are lost (but one of each),
// doubled and moved by up to three places come out once each.
func TestOnceWhateverTheNetworkDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		ts := rapid.Uint32().Draw(rt, "start")
		want := map[byte]int{}
		var line []packet
		for range rapid.IntRange(1, 30).Draw(rt, "keys") {
			key := keys[random.IntN(len(keys))]
			want[key]++
			duration := uint32(320 + random.IntN(4000))
			all := press(t, Digit(key), ts, duration)
			spared := random.IntN(len(all))
			for i, p := range all {
				for range random.IntN(3) {
					line = append(line, p)
				}
				if i == spared {
					line = append(line, p)
				}
			}
			ts += duration + uint32(320+random.IntN(8000))
		}
		for i := range line {
			j := min(i+random.IntN(4), len(line)-1)
			line[i], line[j] = line[j], line[i]
		}
		got := receive(&Receiver{}, line)
		for i := range len(got) {
			want[got[i]]--
		}
		for key, n := range want {
			if n != 0 {
				rt.Errorf("%c: %d too few", key, n)
			}
		}
	})
}

func TestSenderRefusals(t *testing.T) {
	for name, err := range map[string]error{
		"key":      second(NewSender('x', 0, 800, 160, 0)),
		"duration": second(NewSender('1', 0, 0, 160, 0)),
		"step":     second(NewSender('1', 0, 800, 0, 0)),
		"level":    second(NewSender('1', 0, 800, 160, 1)),
	} {
		if err == nil {
			t.Errorf("took a wrong %s", name)
		}
	}
}

func second(_ *Sender, err error) error { return err }

func FuzzEvent(f *testing.F) {
	f.Add(uint32(0), true, []byte{5, 0x8a, 3, 32}, []byte{5, 10, 0, 160})
	f.Fuzz(func(t *testing.T, timestamp uint32, marker bool, first, second []byte) {
		var r Receiver
		for _, payload := range [][]byte{first, second, first} {
			d, ok := r.Packet(timestamp, marker, payload)
			if ok != d.Valid() {
				t.Errorf("digit %q, %v", d, ok)
			}
		}
		if d, ok := r.Packet(timestamp, marker, first); ok {
			t.Errorf("%q twice", d)
		}
	})
}
