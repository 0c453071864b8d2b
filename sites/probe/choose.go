package probe

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/conclave-voice/conclave/sites/reach"
)

const (
	calmTargets   = 2 // pinged of a site that answers
	doubtTargets  = 5 // pinged of a site of which fewer answer
	evidence      = 2 // of them kept for the failures that they have shown
	lateness      = 4 // times the time-out, an answer is waited for
	pingsPerNode  = 7 // under way at once: with DefaultConfig, all whose answers may come yet
	questionsEach = 3 // to other sites about one
)

// choose says which of a site's targets to ping next.
//
// While two of those pinged answer, it is they: different ones for each prober, for the
// first are taken at random. Else it is five: those that failed most, for a verdict
// needs their failures; those that have not yet failed patience times in a row; and in
// place of the others new ones, the living first, so that in a large site the last node
// that answers is found.
func choose(targets []Target, st reach.Status, patience int) []Target {
	order := ranks(st, patience)
	rank := func(t Target) int {
		if r, pinged := order[t.Node]; pinged {
			return r
		}
		if t.Alive {
			return rankNewAlive
		}
		return rankNew
	}
	targets = slices.Clone(targets)
	rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	slices.SortStableFunc(targets, func(a, b Target) int { return cmp.Compare(rank(a), rank(b)) })
	most := calmTargets
	if len(st.Nodes) > 0 && st.Own != reach.Unknown {
		for _, t := range targets[:min(calmTargets, len(targets))] {
			if rank(t) != rankAnswering {
				most = doubtTargets
			}
		}
	}
	return targets[:min(most, len(targets))]
}

// The order in which targets are taken.
const (
	rankAnswering = iota
	rankEvidence
	rankTried
	rankNewAlive
	rankNew
	rankGivenUp
)

// ranks are those of the nodes that are pinged already.
func ranks(st reach.Status, patience int) map[string]int {
	nodes := slices.Clone(st.Nodes)
	slices.SortStableFunc(nodes, func(a, b reach.NodeStatus) int { return cmp.Compare(b.Failures, a.Failures) })
	order := map[string]int{}
	for i, n := range nodes {
		switch {
		case n.Failures == 0 && !n.Answered.IsZero():
			order[n.Node] = rankAnswering
		case i < evidence:
			order[n.Node] = rankEvidence
		case n.Failures < patience:
			order[n.Node] = rankTried
		default:
			order[n.Node] = rankGivenUp
		}
	}
	return order
}
