package billing

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
)

// record rates a stay that ended.
func record(p store.Participant, roomName string, at time.Time, cause store.ReleaseCause, logger hclog.Logger) store.XDR {
	x := blank(p, roomName, at, cause)
	x.Duration = x.EndedAt.Sub(x.StartedAt).Truncate(time.Second)
	var err error
	x.Billed, x.Amount, err = rating.Charge(p.Rate, x.Duration)
	if err != nil {
		// The rate was checked when the stay began; a record without an amount
		// is still a record, and an adjustment can put it right.
		logger.Error("stay recorded without a charge", "participant", p.ID, "duration", x.Duration, "error", err)
	}
	return x
}

// blank is the record of a stay that costs nothing.
func blank(p store.Participant, roomName string, at time.Time, cause store.ReleaseCause) store.XDR {
	start := micros(p.JoinedAt)
	return store.XDR{
		ID: p.ID, ConferenceID: p.ConferenceID, RoomID: p.RoomID, RoomName: roomName, CustomerID: p.CustomerID,
		AccountID: p.AccountID, CallID: p.CallID, Service: store.ServiceConferencing, Caller: p.Caller, Called: p.Called,
		Ingress: p.Ingress, IngressTerm: p.IngressTerm, Focus: p.Focus, Epoch: p.Epoch, StartedAt: start, EndedAt: start.Add(lasted(p.JoinedAt, at)),
		Rate: p.Rate, Currency: p.Currency, Cause: cause,
	}
}

// lasted is the time between two instants, never negative. Where both were read in
// this process it goes by the monotonic clock: setting the node's clock changes no
// charge.
func lasted(from, to time.Time) time.Duration { return max(to.Sub(from), 0).Truncate(time.Microsecond) }

// micros is t as the store keeps it, so that a record adds up when it is read back.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
