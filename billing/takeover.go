package billing

import (
	"context"
	"fmt"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// StayState is a running stay as data, so that another node can go on with it.
type StayState struct {
	Participant store.Participant
	Account     store.Account
	RoomName    string
	Reserved    money.Amount // at least: what was reserved since is in the store
}

// State is the stay as it is now.
func (s *Stay) State() StayState {
	return StayState{Participant: s.Participant, Account: s.Account, RoomName: s.RoomName, Reserved: s.meter.Reserved()}
}

// Resume goes on with a stay whose call this node has taken over from another: it is
// metered and settled here from now on, and what an earlier node still says of it does
// not count (store.Usage, TakeStay). The stay that it returns has to be ended by Settle,
// with an error too: it says that the store could not be told, and the stay goes on all
// the same, for its caller is there.
func (s *Service) Resume(ctx context.Context, st StayState, at store.Place, incarnation int64) (*Stay, error) {
	p := st.Participant
	p.Ingress, p.Incarnation = at, incarnation
	p.IngressTerm++
	stay := &Stay{Participant: p, Account: st.Account, RoomName: st.RoomName, service: s, known: st.Reserved,
		meter: NewMeter(s.policy, p.Rate, p.JoinedAt, st.Reserved)}
	stay.meter.Resumed(s.clock.Now())
	if err := s.store.TakeStay(ctx, p, st.Reserved); err != nil {
		return stay, fmt.Errorf("record that the stay of participant %s goes on here: %w", p.ID, err)
	}
	s.logger.Info("stay taken over", "participant", p.ID, "account", p.AccountID, "term", p.IngressTerm, "reserved", st.Reserved)
	return stay, nil
}
