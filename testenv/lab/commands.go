package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/wan"
)

// none is for commands that need or give nothing.
type none struct{}

// handle reads a request, runs a command, and writes its result. A mistake is the text
// of a 400.
func handle[In, Out any](command func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		out, err := command(r.Context(), in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // whoever has gone needs no answer
	}
}

func (s *server) status(ctx context.Context, _ none) (Status, error) {
	st := Status{State: s.state, Links: s.lab.WAN().States(), Counters: s.lab.WAN().Counters(), Unroutable: s.lab.WAN().Unroutable(), Calls: s.statuses()}
	nodes := s.lab.Nodes()
	st.Nodes = make([]NodeStatus, len(nodes))
	var group errgroup.Group // one that hangs keeps only itself
	for i, n := range nodes {
		group.Go(func() (err error) {
			st.Nodes[i], err = s.nodeStatus(ctx, n)
			return err
		})
	}
	return st, group.Wait()
}

// nodeStatus is how a node is, asked for a second at most.
func (s *server) nodeStatus(ctx context.Context, n Node) (NodeStatus, error) {
	p, err := s.lab.Node(n.Name)
	if err != nil {
		return NodeStatus{}, err
	}
	ns := NodeStatus{Node: n, State: p.State(), PID: p.PID(), Log: p.Log}
	if ns.State == "running" {
		asked, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := p.Get(asked, "/readyz")
		ns.Ready = err == nil
	}
	return ns, nil
}

// link does something to one direction or to both.
func (s *server) link(do func(*wan.Router, wan.Link, LinkChange) error) func(context.Context, LinkChange) (none, error) {
	return func(_ context.Context, c LinkChange) (none, error) {
		err := do(s.lab.WAN(), c.Link, c)
		if err == nil && !c.OneWay {
			err = do(s.lab.WAN(), c.Reverse(), c)
		}
		return none{}, err
	}
}

// nodeChange is something done to a node.
type nodeChange struct {
	Node   string `json:"node"`
	Action Action `json:"action"`
}

// Action is something that can be done to a node.
type Action string

// The actions of [Client.Node].
const (
	StartNode   Action = "start"  // and wait until it is ready
	StopNode    Action = "stop"   // SIGTERM
	KillNode    Action = "kill"   // SIGKILL
	PauseNode   Action = "pause"  // SIGSTOP
	ResumeNode  Action = "resume" // SIGCONT
	RestartNode Action = "restart"
)

func (s *server) node(ctx context.Context, c nodeChange) (none, error) {
	p, err := s.lab.Node(c.Node)
	if err != nil {
		return none{}, err
	}
	switch c.Action {
	case StartNode:
		err = p.Restart(ctx)
	case StopNode:
		err = p.Stop(ctx)
	case KillNode:
		p.Kill()
	case PauseNode:
		err = p.Pause()
	case ResumeNode:
		err = p.Resume()
	case RestartNode:
		if err = p.Stop(ctx); err == nil {
			err = p.Restart(ctx)
		}
	default:
		err = fmt.Errorf("action %q: write start, stop, kill, pause, resume or restart", c.Action)
	}
	return none{}, err
}

func (s *server) end(context.Context, none) (none, error) {
	s.once.Do(func() { close(s.down) })
	return none{}, nil
}
