package store

// What nodes record is checked less than what people write: a call that has taken
// place is kept as it was. What follows are mistakes of a program.

func (r NodeRun) Validate() error {
	if r.StartedAt.IsZero() {
		return invalid("start of the run", r.StartedAt, "it must be set")
	}
	return needed("node", r.Node)
}

func (c Conference) Validate() error {
	if c.Kind != KindMain && c.Kind != KindLocal {
		return invalid("kind of conference", c.Kind, "write main or local")
	}
	if c.StartedAt.IsZero() {
		return invalid("start of the conference", c.StartedAt, "it must be set")
	}
	return first(
		identified("conference id", c.ID),
		identified("room of the conference", c.RoomID),
		identified("customer of the conference", c.CustomerID),
		identified("account of the conference", c.AccountID),
		epoch(c.Epoch))
}

func (p Participant) Validate() error {
	if p.JoinedAt.IsZero() {
		return invalid("joining time", p.JoinedAt, "it must be set")
	}
	return first(
		identified("participant id", p.ID),
		identified("conference of the participant", p.ConferenceID),
		identified("customer of the participant", p.CustomerID),
		identified("account of the participant", p.AccountID),
		epoch(p.Epoch),
		wholeSeconds("first interval", p.Rate.First, 0),
		wholeSeconds("next interval", p.Rate.Next, 0),
		currency(p.Currency))
}

func (c Call) Validate() error {
	if c.StartedAt.IsZero() {
		return invalid("start of the call", c.StartedAt, "it must be set")
	}
	return identified("call id", c.ID)
}

func (x XDR) Validate() error {
	if x.Amount < 0 {
		return invalid("amount of the xDR", x.Amount, "it must be 0 or more; corrections are ledger entries of their own")
	}
	if x.EndedAt.IsZero() {
		return invalid("end of the stay", x.EndedAt, "it must be set")
	}
	return first(
		identified("xDR id", x.ID),
		bounded("amount of the xDR", x.Amount),
		epoch(x.Epoch),
		wholeSeconds("duration", x.Duration, 0),
		wholeSeconds("billed time", x.Billed, 0),
		wholeSeconds("first interval", x.Rate.First, 0),
		wholeSeconds("next interval", x.Rate.Next, 0),
		currency(x.Currency),
		x.Inbound.validate("inbound"),
		x.Outbound.validate("outbound"),
		object("quality", x.Quality))
}

func (s Score) validate(direction string) error {
	switch {
	case s == Score{}:
		return nil
	case s.MOS < 100 || s.MOS > 500 || s.WorstMOS < 100 || s.WorstMOS > 500:
		return invalid(direction+" MOS", s, "in hundredths, it is 100 to 500, or 0 for not known")
	case s.Loss < 0 || s.Loss > 10_000:
		return invalid(direction+" loss", s.Loss, "in ten-thousandths, it is 0 to 10000")
	}
	return nil
}

func (e LedgerEntry) Validate() error {
	switch e.Kind {
	case EntryUsage, EntryTopUp, EntryAdjustment:
	default:
		return invalid("kind of ledger entry", e.Kind, "write usage, top-up or adjustment")
	}
	return first(bounded("amount of the ledger entry", e.Amount), identified("ledger entry id", e.ID), identified("account of the ledger entry", e.AccountID))
}

func (e ConferenceEvent) Validate() error {
	if e.Seq < 1 {
		return invalid("sequence number of the event", e.Seq, "it counts from 1")
	}
	return first(needed("kind of event", e.Kind), object("detail of the event", e.Detail))
}

func (t CallStep) Validate() error {
	if t.Seq < 1 {
		return invalid("sequence number of the step", t.Seq, "it counts from 1")
	}
	return needed("step", t.Step)
}

// maxPage is the most that one listing returns; defaultPage, what it returns unasked.
const maxPage, defaultPage = 1000, 100

// Size is how many rows the page has at most. A limit out of range is an error, and
// not cut: who asked for 5,000 and got 1,000 would think that there are no more.
func (p Page) Size() (int, error) {
	switch {
	case p.Limit == 0:
		return defaultPage, nil
	case p.Limit < 0 || p.Limit > maxPage:
		return 0, invalid("page limit", p.Limit, "it must be 1 to 1000, or 0 for 100")
	}
	return p.Limit, nil
}
