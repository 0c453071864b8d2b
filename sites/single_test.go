package sites

import (
	"testing"

	"github.com/conclave-voice/conclave/store"
)

func TestEpochGrowsWithEachAssignment(t *testing.T) {
	s := NewSingle(store.Place{Site: "a", Node: "n1"}, 1000)
	room := store.Room{ID: "r"}
	first, _ := s.Locate(t.Context(), room, Assignment{})
	if again, _ := s.Locate(t.Context(), room, Assignment{}); again != first {
		t.Errorf("a running conference moved from %+v to %+v", first, again)
	}
	if first.Epoch <= 1000 || first.Kind != store.KindMain || first.Focus.Node != "n1" {
		t.Errorf("%+v", first)
	}
	s.Release(room.ID, first.Epoch)
	second, _ := s.Locate(t.Context(), room, Assignment{})
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
	s.Release(room.ID, first.Epoch)
	if still, _ := s.Locate(t.Context(), room, Assignment{}); still != second {
		t.Error("a late release took away a newer assignment")
	}
	if third, _ := s.Locate(t.Context(), room, second); third.Epoch <= second.Epoch {
		t.Errorf("epoch %d, which is over, was given again", third.Epoch)
	}
}
