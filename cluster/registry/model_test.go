package registry_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// model is the registry in the fewest words: what a reader of its rules would write
// down, without limits, bytes or bookkeeping. The registry must agree with it on
// every sequence of commands.
type model struct {
	t       *rapid.T
	state   *registry.State
	index   uint64
	highest uint64 // epoch
	rooms   map[string]registry.Assignment
	up      map[string]uint64 // incarnation
	gone    map[string]bool
	drained map[string]bool
	dialogs map[string]registry.Dialog
	asked   map[registry.RequestID]registry.Result
	seq     uint64
}

// SPEC MS4, MS10.
func TestRegistryAgreesWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, state: registry.New(), rooms: map[string]registry.Assignment{},
			up: map[string]uint64{}, gone: map[string]bool{}, drained: map[string]bool{},
			dialogs: map[string]registry.Dialog{}, asked: map[registry.RequestID]registry.Result{}}
		t.Repeat(map[string]func(*rapid.T){
			"assign": m.assign, "release": m.release, "up": m.nodeUp, "gone": m.nodeGone,
			"drain": m.drain, "dialog": m.dialog, "take": m.take,
			"repeat": m.repeat, "restart": m.restart, "": m.check,
		})
	})
}

func (m *model) instance(t *rapid.T) registry.Instance {
	return registry.Instance{
		Node:        rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "node"),
		Incarnation: rapid.Uint64Range(1, 3).Draw(t, "incarnation"),
	}
}

func (m *model) room(t *rapid.T) string {
	return rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "room")
}

func (m *model) call(t *rapid.T) string {
	return rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, "call")
}

func (m *model) alive(i registry.Instance) bool {
	return m.up[i.Node] == i.Incarnation && !m.gone[i.Node]
}

func (m *model) over(i registry.Instance) bool {
	current, known := m.up[i.Node]
	return known && (current > i.Incarnation || current == i.Incarnation && m.gone[i.Node])
}

// apply applies op as a new request and checks the refusal.
func (m *model) apply(op registry.Op, want registry.Refusal) registry.Result {
	m.seq++
	id := registry.RequestID{From: registry.Instance{Node: "client", Incarnation: 1}, Seq: m.seq}
	r := m.send(registry.Command{Request: id, Op: op})
	if r.Refusal != want {
		m.t.Fatalf("%+v: %q, want %q", op, r.Refusal, want)
	}
	m.asked[id] = r
	return r
}

// send goes through the encodings, as a forwarded request does.
func (m *model) send(c registry.Command) registry.Result {
	data, err := c.Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	decoded, err := registry.DecodeCommand(data)
	if err != nil {
		m.t.Fatal(err)
	}
	m.index += rapid.Uint64Range(1, 5).Draw(m.t, "index")
	r := m.state.Apply(m.index, decoded)
	back, err := registry.DecodeResult(r.Encode())
	if err != nil || fmt.Sprint(back) != fmt.Sprint(r) {
		m.t.Fatalf("result %+v came back as %+v, %v", r, back, err)
	}
	return r
}

func (m *model) assign(t *rapid.T) {
	a := registry.Assign{Room: m.room(t), Candidate: m.instance(t), Kind: registry.KindMain,
		Replace: rapid.Uint64Range(0, m.highest+1).Draw(t, "replace"),
		Floor:   rapid.Uint64Range(0, m.highest+2).Draw(t, "floor")}
	current, held := m.rooms[a.Room]
	free := !held || m.over(current.Focus) || current.Epoch == a.Replace || current.Epoch < a.Floor
	switch {
	case !free:
		if r := m.apply(a, registry.None); r.Changed || r.Assignment != current {
			t.Fatalf("%+v took the place of %+v", r, current)
		}
	case !m.alive(a.Candidate):
		m.apply(a, registry.Unknown)
	case m.drained[a.Candidate.Node]:
		m.apply(a, registry.Draining)
	default:
		r := m.apply(a, registry.None)
		epoch := r.Assignment.Epoch
		if epoch <= m.highest || epoch <= a.Floor || epoch < m.index {
			t.Fatalf("epoch %d: highest %d, floor %d, index %d", epoch, m.highest, a.Floor, m.index)
		}
		m.highest = epoch
		m.rooms[a.Room] = registry.Assignment{Room: a.Room, Focus: a.Candidate, Kind: a.Kind, Epoch: epoch}
		if r.Assignment != m.rooms[a.Room] || !r.Changed {
			t.Fatalf("%+v", r)
		}
	}
}

func (m *model) release(t *rapid.T) {
	room, epoch := m.room(t), rapid.Uint64Range(1, m.highest+1).Draw(t, "epoch")
	if current, ok := m.rooms[room]; ok && rapid.Bool().Draw(t, "right") {
		epoch = current.Epoch
	}
	m.apply(registry.Release{Room: room, Epoch: epoch}, registry.None)
	if m.rooms[room].Epoch == epoch {
		delete(m.rooms, room)
	}
}

func (m *model) nodeUp(t *rapid.T) {
	i := m.instance(t)
	if m.up[i.Node] > i.Incarnation {
		m.apply(registry.NodeUp{Instance: i}, registry.Stale)
		return
	}
	m.apply(registry.NodeUp{Instance: i}, registry.None)
	if m.up[i.Node] < i.Incarnation {
		m.drained[i.Node] = false
	}
	m.up[i.Node], m.gone[i.Node] = i.Incarnation, false
}

func (m *model) nodeGone(t *rapid.T) {
	i := m.instance(t)
	switch current := m.up[i.Node]; {
	case current > i.Incarnation:
		m.apply(registry.NodeGone{Instance: i}, registry.Stale)
	case current < i.Incarnation:
		m.apply(registry.NodeGone{Instance: i}, registry.Unknown)
	default:
		m.apply(registry.NodeGone{Instance: i}, registry.None)
		m.gone[i.Node] = true
	}
}

func (m *model) drain(t *rapid.T) {
	d := registry.Drain{Instance: m.instance(t), Draining: rapid.Bool().Draw(t, "draining")}
	if !m.alive(d.Instance) {
		m.apply(d, registry.Unknown)
		return
	}
	m.apply(d, registry.None)
	m.drained[d.Node] = d.Draining
}

func (m *model) dialog(t *rapid.T) {
	owner := m.instance(t)
	c := registry.DialogChange{Call: m.call(t), Drop: rapid.Bool().Draw(t, "drop"),
		Version: rapid.Uint64Range(1, 4).Draw(t, "version"), State: []byte("state")}
	op := registry.Dialogs{Owner: owner, Changes: []registry.DialogChange{c}}
	if m.up[owner.Node] > owner.Incarnation {
		m.apply(op, registry.Stale)
		return
	}
	current, ok := m.dialogs[c.Call]
	want := registry.None
	switch {
	case ok && current.Owner != owner:
		want = registry.NotOwner
	case c.Drop:
		delete(m.dialogs, c.Call)
	case ok && current.Version >= c.Version:
		want = registry.Stale
	default:
		m.dialogs[c.Call] = registry.Dialog{Call: c.Call, Owner: owner, Version: c.Version, State: c.State}
	}
	if r := m.apply(op, registry.None); r.Items[0] != want {
		t.Fatalf("%+v: %q, want %q", op, r.Items[0], want)
	}
}

func (m *model) take(t *rapid.T) {
	op := registry.TakeDialog{Call: m.call(t), From: m.instance(t), To: m.instance(t)}
	current, ok := m.dialogs[op.Call]
	switch {
	case !ok:
		m.apply(op, registry.NotFound)
	case current.Owner != op.From:
		m.apply(op, registry.NotOwner)
	case !m.alive(op.To):
		m.apply(op, registry.Unknown)
	default:
		current.Owner = op.To
		m.dialogs[op.Call] = current
		if r := m.apply(op, registry.None); !reflect.DeepEqual(r.Dialog, current) {
			t.Fatalf("took %+v, want %+v", r.Dialog, current)
		}
	}
}

// repeat sends an earlier request again, with another op, which must not matter.
func (m *model) repeat(t *rapid.T) {
	if m.seq == 0 {
		return
	}
	id := registry.RequestID{From: registry.Instance{Node: "client", Incarnation: 1},
		Seq: rapid.Uint64Range(1, m.seq).Draw(t, "seq")}
	r := m.send(registry.Command{Request: id, Op: registry.Release{Room: "r1", Epoch: m.highest}})
	if m.seq > registry.RequestWindow && id.Seq <= m.seq-registry.RequestWindow {
		if r.Refusal != registry.Expired {
			t.Fatalf("forgotten request %d of %d: %+v", id.Seq, m.seq, r)
		}
		return
	}
	first := m.asked[id]
	first.Dialog = registry.Dialog{}
	if fmt.Sprint(r) != fmt.Sprint(first) {
		t.Fatalf("answers %+v and %+v", first, r)
	}
}

// restart goes on from a snapshot, while the original goes its own way.
func (m *model) restart(t *rapid.T) {
	clone := m.state.Clone()
	var first bytes.Buffer
	if _, err := clone.WriteTo(&first); err != nil {
		t.Fatal(err)
	}
	m.state.Apply(m.index+1, registry.Command{Op: registry.NodeUp{
		Instance: registry.Instance{Node: "a", Incarnation: 99}}})
	restored, err := registry.Restore(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if _, err := restored.WriteTo(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatal("the snapshot of a restored registry differs")
	}
	if !reflect.DeepEqual(clone, restored) {
		t.Fatalf("restored\n%+v\nfrom\n%+v", restored, clone)
	}
	m.state = restored
}

// check compares all that can be asked.
func (m *model) check(t *rapid.T) {
	for _, room := range []string{"r1", "r2"} {
		got, ok := m.state.Assignment(room)
		want, held := m.rooms[room]
		if held && m.over(want.Focus) {
			want, held = registry.Assignment{}, false
		}
		if got != want || ok != held {
			t.Fatalf("room %s: %+v, %v; want %+v, %v", room, got, ok, want, held)
		}
	}
	orphans := m.state.OrphanDialogs()
	for _, call := range []string{"c1", "c2"} {
		got, ok := m.state.Dialog(call)
		want, there := m.dialogs[call]
		if ok != there || !reflect.DeepEqual(got, want) {
			t.Fatalf("call %s: %+v, want %+v", call, got, want)
		}
		orphan := false
		for _, o := range orphans {
			orphan = orphan || o.Call == call
		}
		if orphan != (there && m.over(want.Owner)) {
			t.Fatalf("call %s: orphan %v", call, orphan)
		}
	}
	if m.state.Index() != m.index {
		t.Fatalf("index %d, want %d", m.state.Index(), m.index)
	}
}
