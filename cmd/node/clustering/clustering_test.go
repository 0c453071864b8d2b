package clustering

import (
	"reflect"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/raftgroup"
)

// MS15: what gossip carries of a Raft server is read back as it was, and fits.
func TestMemberOverGossip(t *testing.T) {
	m := raftgroup.Member{Node: "m1", Incarnation: 7, Disk: "0123456789abcdef", Addr: "[2001:db8::1234:5678]:7941", Fresh: true,
		Group: strings.Repeat("g", 64), Addresses: []string{"[2001:db8::1234:5678]:7940"}}
	of := gossip.Member{Node: "m1", Incarnation: 7, Addresses: gossip.Addresses{RPC: "[2001:db8::1234:5678]:7940"}, Raft: encodeMember(m)}
	if len(of.Raft) > 160 {
		t.Errorf("%d bytes; gossip takes 160", len(of.Raft))
	}
	if got, err := decodeMember(of); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v %v", got, err)
	}
	for n := range of.Raft {
		cut := of
		cut.Raft = of.Raft[:n]
		if _, err := decodeMember(cut); err == nil {
			t.Errorf("%d bytes of %d were enough", n, len(of.Raft))
		}
	}
}

// OP1: each error names the key, the value and the fix.
func TestConfigErrors(t *testing.T) {
	good := Config{Address: "192.0.2.10:7940", Join: "198.51.100.1:7940, 198.51.100.2:7940", Founders: "m1,m2", Role: "all"}
	r, err := good.check("m1")
	if err != nil || r.at(portRaft).Port() != 7941 || !reflect.DeepEqual(r.seeds, []string{"198.51.100.1:7943", "198.51.100.2:7943"}) {
		t.Errorf("%+v %v", r, err)
	}
	for want, change := range map[string]func(c *Config){
		`--cluster "0.0.0.0:7940"`: func(c *Config) { c.Address = "0.0.0.0:7940" },
		`--cluster "m1"`:           func(c *Config) { c.Address = "m1" },
		`--cluster "[::1]:65535"`:  func(c *Config) { c.Address = "[::1]:65535" },
		`--join "m2": write`:       func(c *Config) { c.Join = "m2" },
		`--founders "m2,m3": this`: func(c *Config) { c.Founders = "m2,m3" },
		`--role "king": write all`: func(c *Config) { c.Role = "king" },
	} {
		bad := good
		change(&bad)
		if _, err := bad.check("m1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
