package sites

import (
	"testing"
	"time"
)

// frozenFor is much longer than it takes to replace a node.
var frozenFor = long(12*time.Second, 30*time.Second)

// MS8, MS12: the focus is frozen, and comes back after its callers have been moved: they
// stay where they are, hear one another all the time, and no second conference goes on.
func TestFocusIsFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	far := w.call("beta-1")
	focus := w.theOne("beta-1").Focus.Node
	near := w.call(w.nodesOf("alpha", focus)[0])
	w.hear(far, near)
	w.must(w.process(focus).Pause())
	frozen := time.Now()
	w.deaf([]one{far}, []one{near})
	w.hear(far, near)
	w.took("focus frozen: its callers hear each other", w.heardAgain(frozen, far, near))
	w.notAt(focus)
	w.pass(time.Until(frozen.Add(frozenFor)))
	w.must(w.process(focus).Resume(), w.process(focus).WaitReady(w.ctx))
	w.hear(far, near)
	late := w.call(focus)
	w.hear(far, near, late)
	w.notAt(focus)
	w.always()
	w.hangUp(far, near, late)
	w.over()
}

// notAt says that there is one conference, which is not at a node.
func (w *world) notAt(node string) {
	w.Helper()
	if at := w.theOne("beta-1").Focus.Node; at == node {
		w.Errorf("the conference is at %s", at)
	}
}

// MS10, MS12: a node that has taken a call is frozen, and comes back. Another node of its
// site goes on with the call meanwhile, and the caller is with the others again.
func TestIngressIsFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	far := w.call("beta-1")
	focus := w.theOne("beta-1").Focus.Node
	others := w.nodesOf("alpha", focus)
	near, its := w.call(others[0]), w.call(others[1])
	w.hear(far, near, its)
	ingress := w.process(others[1])
	w.must(ingress.Pause())
	frozen := time.Now()
	w.deaf([]one{far}, []one{its})
	w.hear(far, near, its)
	w.took("ingress frozen: its caller and the others hear each other", w.heardAgain(frozen, far, its))
	late := w.call(others[0])
	w.hear(far, near, late, its)
	w.pass(time.Until(frozen.Add(frozenFor)))
	w.must(ingress.Resume(), ingress.WaitReady(w.ctx))
	w.goesOn(far, near, late, its)
	w.hear(far, near, late, its)
	w.always()
	w.hangUp(far, near, late, its)
	w.over()
}
