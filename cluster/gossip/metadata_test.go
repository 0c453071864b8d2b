package gossip

import (
	"net/netip"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestMetadataIsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(what string) string { return rapid.StringN(0, 20, 40).Draw(t, what) }
		number := func(what string) uint64 { return rapid.Uint64().Draw(t, what) }
		address := func(what string) (a netip.AddrPort) {
			ip := rapid.SampledFrom([]string{"", "127.0.0.1", "2001:db8::1"}).Draw(t, what)
			if ip != "" {
				a = netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(number(what+" port")))
			}
			return a
		}
		m := metadata{Member{Site: "s" + text("site"), Node: "n" + text("node"), Incarnation: number("incarnation"),
			Role: Role(number("role")), Addresses: Addresses{text("SIP"), text("RPC"), text("HTTP"),
				address("local"), address("wide")},
			Load:     Load{uint32(number("participants")), uint32(number("capacity"))},
			Draining: rapid.Bool().Draw(t, "draining"), Left: rapid.Bool().Draw(t, "left"),
			Version: text("version")}}
		if raft := rapid.SliceOfN(rapid.Byte(), 0, maxRaft).Draw(t, "raft"); len(raft) > 0 {
			m.Raft = raft
		}
		got, err := decode(m.encode())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("got %+v, %v, want %+v", got, err, m)
		}
	})
}

// A later version of the program may say more: older ones skip it.
func TestUnknownFieldsAreSkipped(t *testing.T) {
	m := metadata{Member{Site: "s", Node: "n"}}
	e := encoder(m.encode())
	e.text(99, "news")
	e.number(100, 7)
	got, err := decode(e)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add(metadata{Member{Site: "s", Node: "n", Raft: []byte("r")}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		if again, err := decode(m.encode()); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
