package raftgroup_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

// call is what a client asked for in one room.
type call struct {
	op    string // assign, release, read, or start: a new run of a node
	room  string
	run   registry.Instance // assign: the candidate; start: the run
	epoch uint64            // assign: to be replaced; release: to be ended
}

// reply is how it ended.
type reply struct {
	is    ending
	found registry.Assignment // after assign and read: what is in force, zero if nothing
}

type ending string

const (
	answered ending = "answered"
	refused  ending = "refused" // the candidate's run is not there
	open     ending = "open"    // no answer: carried out at any time since, or never
)

// roomState is a room as the model of linearizability has it: what is in force, and
// which runs of nodes there are.
type roomState struct {
	focus   registry.Instance
	epoch   uint64 // 0 when nothing is in force, or when it is not known
	unknown bool   // the assignment's answer was lost: its epoch is some number above highest
	highest uint64 // epoch that anyone has seen
	runs    [maxRuns]registry.Instance
}

const maxRuns = 5 // nodes of a history

func (s roomState) current(node string) uint64 {
	for _, run := range s.runs {
		if run.Node == node {
			return run.Incarnation
		}
	}
	return 0
}

// held says whether an assignment is in force: one of a run that is over is not.
func (s roomState) held() bool {
	return (s.epoch != 0 || s.unknown) && s.current(s.focus.Node) == s.focus.Incarnation
}

// see checks an assignment that somebody saw against the one in force.
func (s roomState) see(a registry.Assignment) (bool, roomState) {
	if s.unknown && a.Focus == s.focus && a.Epoch > s.highest {
		s.unknown, s.epoch, s.highest = false, a.Epoch, a.Epoch
		return true, s
	}
	return !s.unknown && a.Focus == s.focus && a.Epoch == s.epoch, s
}

func (s roomState) start(run registry.Instance) roomState {
	for i, r := range s.runs {
		if r.Node == run.Node || r.Node == "" {
			s.runs[i] = registry.Instance{Node: run.Node, Incarnation: max(r.Incarnation, run.Incarnation)}
			return s
		}
	}
	panic("more nodes than the model has places for")
}

func (s roomState) assign(c call, r reply) (bool, roomState) {
	// An epoch that is not known to the model was not known to the client either.
	replaces := !s.unknown && c.epoch != 0 && c.epoch == s.epoch
	switch {
	case s.held() && !replaces:
		if r.is == answered {
			return s.see(r.found)
		}
		return r.is == open, s
	case s.current(c.run.Node) != c.run.Incarnation:
		return r.is != answered, s
	case r.is == answered:
		ok := r.found.Focus == c.run && r.found.Epoch > s.highest
		s.focus, s.epoch, s.unknown, s.highest = c.run, r.found.Epoch, false, r.found.Epoch
		return ok, s
	}
	s.focus, s.epoch, s.unknown = c.run, 0, true
	return r.is == open, s
}

func (s roomState) step(c call, r reply) (bool, roomState) {
	switch c.op {
	case "start":
		return true, s.start(c.run)
	case "assign":
		return s.assign(c, r)
	case "release":
		if !s.unknown && s.epoch == c.epoch {
			s.focus, s.epoch = registry.Instance{}, 0
		}
		return true, s
	case "read":
		if r.found == (registry.Assignment{}) {
			return !s.held(), s
		}
		if !s.held() {
			return false, s
		}
		return s.see(r.found)
	}
	panic("the model does not know " + c.op)
}

// errDown is what a client of a node that does not run gets.
var errDown = errors.New("connection refused")

// history is what clients did, with times from one monotonic clock.
type history struct {
	base time.Time

	mu      sync.Mutex
	ops     []porcupine.Operation
	answers int
	opens   int
}

func newHistory() *history { return &history{base: time.Now()} }

func (h *history) now() int64 { return int64(time.Since(h.base)) }

// add records a call that was made at began and has returned now.
func (h *history) add(client int, began int64, c call, r reply) {
	h.addUntil(client, began, h.now(), c, r)
}

func (h *history) addUntil(client int, began, ended int64, c call, r reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.is == open {
		ended = math.MaxInt64
		h.opens++
	} else {
		h.answers++
	}
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: c, Output: r, Call: began, Return: ended})
}

// addError records a call that ended with an error. An error that does not leave the
// outcome open means that nothing was done, which the history then proves or refutes.
func (h *history) addError(t testing.TB, client int, began int64, c call, err error) {
	switch {
	case c.op == "read":
	case errors.Is(err, raftgroup.ErrUnknownOutcome):
		h.add(client, began, c, reply{is: open})
	case errors.Is(err, registry.Unknown):
		h.add(client, began, c, reply{is: refused})
	case errors.Is(err, raftgroup.ErrNoQuorum), errors.Is(err, raftgroup.ErrClosed),
		errors.Is(err, errDown), errors.Is(err, context.Canceled):
	default:
		t.Errorf("%+v: %v", c, err)
	}
}

// check looks for an order of the operations in which each has the answer that it got.
// Runs are the runs of nodes that were there from the beginning.
func (h *history) check(runs ...registry.Instance) porcupine.CheckResult {
	h.mu.Lock()
	defer h.mu.Unlock()
	return porcupine.CheckOperationsTimeout(roomModel(runs), h.ops, patience)
}

// String is the history as one can read it.
func (h *history) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ops := slices.SortedFunc(slices.Values(h.ops), func(a, b porcupine.Operation) int {
		return cmp.Compare(a.Call, b.Call)
	})
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "%d-%d client %d: %+v: %+v\n", op.Call, op.Return, op.ClientId, op.Input, op.Output)
	}
	return b.String()
}

// roomModel is the registry as clients of one room see it; rooms are independent.
func roomModel(runs []registry.Instance) porcupine.Model {
	return porcupine.Model{
		Partition: byRoom,
		Init: func() any {
			var s roomState
			for _, run := range runs {
				s = s.start(run)
			}
			return s
		},
		Step: func(state, input, output any) (bool, any) {
			ok, next := state.(roomState).step(input.(call), output.(reply))
			return ok, next
		},
	}
}

// byRoom splits a history by room. The start of a node belongs to all rooms.
func byRoom(ops []porcupine.Operation) [][]porcupine.Operation {
	rooms := map[string][]porcupine.Operation{}
	for _, op := range ops {
		if room := op.Input.(call).room; room != "" {
			rooms[room] = append(rooms[room], op)
		}
	}
	var parts [][]porcupine.Operation
	for _, part := range rooms {
		for _, op := range ops {
			if op.Input.(call).room == "" {
				part = append(part, op)
			}
		}
		parts = append(parts, part)
	}
	return parts
}
