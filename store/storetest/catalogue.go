package storetest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

var catalogueTests = []test{
	{"BL1_Customers", testCustomers},
	{"CA2_AccessNumbers", testAccessNumbers},
	{"CA2_NumbersOfARoomOfItsOwn", testOwnNumbers},
	{"CA1_CallRules", testCallRules},
	{"CA1_SE1_SIPUsers", testSIPUsers},
	{"SE5_APITokens", testTokens},
	{"OP1_InvalidValuesNameTheField", testInvalid},
}

func testCustomers(f *fixture) {
	ctx := f.Context()
	c := store.Customer{ID: store.NewCustomerID(), Name: "Zoë & Söhne", CreatedAt: t0}
	f.must(f.s.CreateCustomer(ctx, c))
	f.must(f.s.CreateCustomer(ctx, c)) // a repetition
	all, err := f.s.ListCustomers(ctx, everything, store.Page{})
	f.equal(all, err, []store.Customer{f.customer, c})
	own, err := f.s.ListCustomers(ctx, store.Scope{CustomerID: c.ID}, store.Page{})
	f.equal(own, err, []store.Customer{c})
	c.ID = store.NewCustomerID()
	f.is(f.s.CreateCustomer(ctx, c), store.ErrConflict)
}

func number(digits string) store.AccessNumber {
	return store.AccessNumber{ID: store.NewAccessNumberID(), Number: digits, Application: store.ApplicationConference, CodeSpace: "space", Language: "en"}
}

func testAccessNumbers(f *fixture) {
	ctx := f.Context()
	shared := number("18665552637")
	f.must(f.s.CreateAccessNumber(ctx, shared))
	f.must(f.s.CreateAccessNumber(ctx, shared)) // a repetition
	got, err := f.s.AccessNumberByNumber(ctx, shared.Number)
	f.equal(got, err, shared)
	_, err = f.s.AccessNumberByNumber(ctx, "1")
	f.is(err, store.ErrNotFound)
	again := number(shared.Number)
	if err := f.s.CreateAccessNumber(ctx, again); err == nil || !strings.Contains(err.Error(), shared.Number) {
		f.Errorf("a number that is taken: %v", err)
	} else {
		f.is(err, store.ErrConflict)
	}
	mine, other := number("4930111"), number("4930222")
	mine.CustomerID = f.customer.ID
	stranger, _, _ := f.tenant("two", 0)
	other.CustomerID = stranger.ID
	f.must(f.s.CreateAccessNumber(ctx, mine))
	f.must(f.s.CreateAccessNumber(ctx, other))
	list, err := f.s.ListAccessNumbers(ctx, f.own, store.Page{})
	f.equal(list, err, []store.AccessNumber{shared, mine})
	list, err = f.s.ListAccessNumbers(ctx, everything, store.Page{})
	f.equal(list, err, []store.AccessNumber{shared, mine, other})
	lost := number("4930333")
	lost.CustomerID = "nobody"
	f.is(f.s.CreateAccessNumber(ctx, lost), store.ErrNotFound)
}

func testOwnNumbers(f *fixture) {
	ctx := f.Context()
	r := f.createRoom(f.room("a", "", ""))
	n := number("4930111")
	n.RoomID = r.ID
	f.must(f.s.CreateAccessNumber(ctx, n))
	got, err := f.s.AccessNumberByNumber(ctx, n.Number)
	f.equal(got, err, n)
	f.must(f.s.DeleteRoom(ctx, f.own, r.ID))
	n.RoomID = ""
	got, err = f.s.AccessNumberByNumber(ctx, n.Number)
	f.equal(got, err, n)
	n = number("4930222")
	n.RoomID = r.ID
	f.is(f.s.CreateAccessNumber(ctx, n), store.ErrNotFound)
}

func testCallRules(f *fixture) {
	ctx := f.Context()
	rules := []store.CallRule{
		{ID: store.NewRuleID(), Position: 20, Action: store.RuleDigest},
		{ID: store.NewRuleID(), Position: 10, Source: netip.MustParsePrefix("127.0.0.0/8"), Transport: "udp", Called: "1866*", Action: store.RuleTrust},
		{ID: store.NewRuleID(), Position: 15, Source: netip.MustParsePrefix("2001:db8::/32"), Transport: "tls", Action: store.RuleRefuse},
	}
	for _, r := range rules {
		f.must(f.s.CreateCallRule(ctx, r))
		f.must(f.s.CreateCallRule(ctx, r)) // a repetition
	}
	got, err := f.s.ListCallRules(ctx)
	f.equal(got, err, []store.CallRule{rules[1], rules[2], rules[0]})
	f.is(f.s.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Position: 10, Action: store.RuleTrust}), store.ErrConflict)
	f.must(f.s.DeleteCallRule(ctx, rules[2].ID))
	f.is(f.s.DeleteCallRule(ctx, rules[2].ID), store.ErrNotFound)
	got, err = f.s.ListCallRules(ctx)
	f.equal(got, err, []store.CallRule{rules[1], rules[0]})
}

func testSIPUsers(f *fixture) {
	ctx := f.Context()
	u := store.SIPUser{Username: "alice", Realm: "conclave", AccountID: f.account.ID, HA1MD5: strings.Repeat("a", 32), HA1SHA256: strings.Repeat("b", 64)}
	f.must(f.s.PutSIPUser(ctx, u))
	u.HA1MD5 = strings.Repeat("c", 32)
	f.must(f.s.PutSIPUser(ctx, u))
	got, err := f.s.SIPUser(ctx, "conclave", "alice")
	f.equal(got, err, u)
	_, err = f.s.SIPUser(ctx, "elsewhere", "alice")
	f.is(err, store.ErrNotFound)
	_, err = f.s.SIPUser(ctx, "conclave", "Alice")
	f.is(err, store.ErrNotFound)
	u.AccountID = "nobody"
	f.is(f.s.PutSIPUser(ctx, u), store.ErrNotFound)
}

func testTokens(f *fixture) {
	ctx := f.Context()
	customers := store.APIToken{ID: store.NewTokenID(), Name: "ci", Hash: strings.Repeat("d", 64), Role: store.TokenCustomer,
		CustomerID: f.customer.ID, CreatedAt: t0, ExpiresAt: t0.Add(time.Hour)}
	operators := store.APIToken{ID: store.NewTokenID(), Name: "ops", Hash: strings.Repeat("e", 64), Role: store.TokenOperator, CreatedAt: t0}
	for _, token := range []store.APIToken{customers, operators} {
		f.must(f.s.CreateToken(ctx, token))
		f.must(f.s.CreateToken(ctx, token)) // a repetition
		got, err := f.s.TokenByHash(ctx, token.Hash)
		f.equal(got, err, token)
	}
	all, err := f.s.ListTokens(ctx, store.Page{})
	f.equal(all, err, []store.APIToken{customers, operators})
	again := operators
	again.ID = store.NewTokenID()
	f.is(f.s.CreateToken(ctx, again), store.ErrConflict)
	f.must(f.s.DeleteToken(ctx, customers.ID))
	f.is(f.s.DeleteToken(ctx, customers.ID), store.ErrNotFound)
	_, err = f.s.TokenByHash(ctx, customers.Hash)
	f.is(err, store.ErrNotFound)
}

// Every value that may not be kept is refused with the field's name.
func testInvalid(f *fixture) {
	ctx := f.Context()
	rate := store.Rate{TariffID: f.tariff.ID, Service: store.ServiceConferencing, PerMinute: 1, First: time.Second, Next: time.Second}
	account := f.account
	account.ID, account.Name = store.NewAccountID(), "other"
	for name, write := range map[string]func() error{
		"customer name": func() error { return f.s.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: " "}) },
		"customer id":   func() error { return f.s.CreateCustomer(ctx, store.Customer{Name: "x"}) },
		"at most 255": func() error {
			return f.s.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: strings.Repeat("x", 256)})
		},
		"UTF-8":       func() error { return f.s.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: "a\xff"}) },
		"tariff name": func() error { return f.s.CreateTariff(ctx, store.Tariff{ID: store.NewTariffID(), Currency: "USD"}) },
		"currency": func() error {
			return f.s.CreateTariff(ctx, store.Tariff{ID: store.NewTariffID(), Name: "x", Currency: "usd"})
		},
		"per minute":     func() error { r := rate; r.PerMinute = -1; return f.s.PutRate(ctx, r) },
		"first interval": func() error { r := rate; r.First = 0; return f.s.PutRate(ctx, r) },
		"next interval":  func() error { r := rate; r.Next = 1500 * time.Millisecond; return f.s.PutRate(ctx, r) },
		"credit limit":   func() error { a := account; a.CreditLimit = -1; return f.s.CreateAccount(ctx, a, "test") },
		"participant limit": func() error {
			return f.s.SetAccountLimits(ctx, everything, f.account.ID, 0, -1, false)
		},
		"tariff \"one\" is in USD": func() error { a := account; a.Currency = "EUR"; return f.s.CreateAccount(ctx, a, "test") },
		"access number":            func() error { return f.s.CreateAccessNumber(ctx, number("+1 866")) },
		"code space":               func() error { n := number("1"); n.CodeSpace = ""; return f.s.CreateAccessNumber(ctx, n) },
		"application":              func() error { n := number("1"); n.Application = "chess"; return f.s.CreateAccessNumber(ctx, n) },
		"action":                   func() error { return f.s.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Action: "maybe"}) },
		"transport": func() error {
			return f.s.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Action: store.RuleTrust, Transport: "pigeon"})
		},
		"write 10.0.0.0/8": func() error {
			return f.s.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Action: store.RuleTrust, Source: netip.MustParsePrefix("10.1.2.3/8")})
		},
		"hashed": func() error {
			return f.s.PutSIPUser(ctx, store.SIPUser{Username: "a", Realm: "r", AccountID: f.account.ID, HA1MD5: "secret", HA1SHA256: "secret"})
		},
		"customer of a token": func() error {
			return f.s.CreateToken(ctx, store.APIToken{ID: store.NewTokenID(), Name: "x", Hash: strings.Repeat("0", 64), Role: store.TokenReadOnly})
		},
		"page limit": func() error { _, err := f.s.ListTariffs(ctx, store.Page{Limit: 1001}); return err },
		"ledger entry": func() error {
			_, err := f.s.PostEntry(ctx, store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, Kind: "gift"})
			return err
		},
		"sequence number": func() error {
			return f.s.AppendCallSteps(ctx, []store.CallStep{{CallID: "x", Step: "invite"}})
		},
	} {
		err := write()
		f.is(err, store.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), name) {
			f.Errorf("the error does not say %q: %v", name, err)
		}
	}
}
