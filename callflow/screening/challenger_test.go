package screening

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
	"github.com/jonboulle/clockwork"
	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
)

const (
	realm    = "conclave.example"
	password = "correct horse"
	called   = "sip:4420@conclave.example"
)

var source = netip.MustParseAddr("192.0.2.7")

// userTable is users by name.
type userTable struct {
	users   map[string]store.SIPUser
	lookups int
	err     error
}

func (u *userTable) SIPUser(_ context.Context, r, name string) (store.SIPUser, error) {
	u.lookups++
	if u.err != nil {
		return store.SIPUser{}, u.err
	}
	user, ok := u.users[name]
	if !ok || r != realm {
		return store.SIPUser{}, fmt.Errorf("user: %w", store.ErrNotFound)
	}
	return user, nil
}

func newUsers() *userTable {
	md5, sha256 := HA1("alice", realm, password)
	return &userTable{users: map[string]store.SIPUser{
		"alice":    {Username: "alice", Realm: realm, AccountID: "a1", HA1MD5: md5, HA1SHA256: sha256},
		"hashless": {Username: "hashless", Realm: realm},
	}}
}

func newChallenger(t interface{ Fatal(...any) }, nonces int) (*Challenger, *clockwork.FakeClock) {
	clock := clockwork.NewFakeClock()
	config := DefaultChallengerConfig(realm)
	config.Algorithms = []string{"SHA-256", "MD5"}
	config.MaxNonces = nonces
	c, err := NewChallenger(config, clock)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

// client answers challenges with the library's client side, which is not ours.
type client struct {
	challenge *digest.Challenge
	user      string
	password  string
	count     int
}

func newClient(t interface{ Fatal(...any) }, challenge, user, password string) *client {
	c, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	return &client{challenge: c, user: user, password: password}
}

func (c *client) answer(uri string) *digest.Credentials {
	c.count++
	cred, err := digest.Digest(c.challenge, digest.Options{Method: "INVITE", URI: uri, Count: c.count, Username: c.user, Password: c.password})
	if err != nil {
		panic(err)
	}
	return cred
}

func invite(values ...string) Request {
	return Request{Authorization: values, Method: "INVITE", URI: called, Source: source}
}

func verify(t interface{ Fatal(...any) }, c *Challenger, r Request, u Users) Verdict {
	v, err := c.Verify(context.Background(), r, u)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// SE1: both algorithms are offered, SHA-256 first, and each is accepted.
func TestAcceptsBothAlgorithms(t *testing.T) {
	c, _ := newChallenger(t, 100)
	challenges := c.Challenges(source, false)
	for i, want := range []string{"SHA-256", "MD5"} {
		answer := newClient(t, challenges[i], "alice", password)
		if a := answer.challenge; a.Algorithm != want || a.Realm != realm || a.Stale || len(a.QOP) != 1 || a.QOP[0] != "auth" {
			t.Errorf("challenge %d is %q", i, challenges[i])
		}
		v := verify(t, c, invite(answer.answer(called).String()), newUsers())
		if v.Outcome != Accepted || v.User.AccountID != "a1" || v.Username != "alice" {
			t.Errorf("%s: %+v", want, v.Outcome)
		}
		// A nonce serves one algorithm's client: the other starts its own count.
		challenges = c.Challenges(source, false)
	}
}

// The examples of RFC 7616 section 3.9.1 (username, realm and password; HTTP, but the
// computation is the same), with their responses.
func TestResponsesOfRFC7616(t *testing.T) {
	md5, sha256 := HA1("Mufasa", "http-auth@example.org", "Circle of Life")
	given := &credentials{count: 1, Credentials: digest.Credentials{URI: "/dir/index.html",
		Nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", Cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}}
	for i, want := range []string{
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		"8ca523f5e9506fed4657c9700eebdbec",
	} {
		ha1 := []string{sha256, md5}[i]
		if got := algorithms[i].response(ha1, "GET", given); got != want {
			t.Errorf("%s: %s, want %s", algorithms[i].name, got, want)
		}
	}
}

// outcome of one request whose credentials were tampered with.
func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*digest.Credentials, *Request)
		want    Outcome
		lookups int
	}{
		"right":              {func(*digest.Credentials, *Request) {}, Accepted, 1},
		"other host":         {func(_ *digest.Credentials, r *Request) { r.URI = "sip:4420@10.0.0.1:5060;transport=tcp" }, Accepted, 1},
		"upper-case hex":     {func(d *digest.Credentials, _ *Request) { d.Response = strings.ToUpper(d.Response) }, Accepted, 1},
		"wrong response":     {func(d *digest.Credentials, _ *Request) { d.Response = strings.Repeat("0", 64) }, Wrong, 1},
		"no response":        {func(d *digest.Credentials, _ *Request) { d.Response = "" }, Wrong, 1},
		"unknown user":       {func(d *digest.Credentials, _ *Request) { d.Username = "bob" }, Wrong, 1},
		"user without hash":  {func(d *digest.Credentials, _ *Request) { d.Username = "hashless" }, Wrong, 1},
		"other method":       {func(_ *digest.Credentials, r *Request) { r.Method = "REGISTER" }, Wrong, 1},
		"count changed":      {func(d *digest.Credentials, _ *Request) { d.Nc = 2 }, Wrong, 1},
		"number swapped":     {func(_ *digest.Credentials, r *Request) { r.URI = "sip:4421@conclave.example" }, Malformed, 0},
		"other source":       {func(_ *digest.Credentials, r *Request) { r.Source = netip.MustParseAddr("192.0.2.8") }, Stale, 0},
		"invented nonce":     {func(d *digest.Credentials, _ *Request) { d.Nonce = strings.Repeat("A", 43) }, Stale, 0},
		"nonce with a tail":  {func(d *digest.Credentials, _ *Request) { d.Nonce += "=" }, Stale, 0},
		"other realm":        {func(d *digest.Credentials, _ *Request) { d.Realm = "elsewhere" }, Missing, 0},
		"no credentials":     {func(_ *digest.Credentials, r *Request) { r.Authorization = nil }, Missing, 0},
		"another scheme":     {func(_ *digest.Credentials, r *Request) { r.Authorization = []string{"Basic Zm9vOmJhcg=="} }, Missing, 0},
		"garbage":            {func(_ *digest.Credentials, r *Request) { r.Authorization = []string{`Digest ,,,"`} }, Malformed, 0},
		"too long":           {func(_ *digest.Credentials, r *Request) { r.Authorization[0] += strings.Repeat(" ", maxHeader) }, Malformed, 0},
		"long name":          {func(d *digest.Credentials, _ *Request) { d.Username = strings.Repeat("x", maxName+1) }, Malformed, 0},
		"no user name":       {func(d *digest.Credentials, _ *Request) { d.Username = "" }, Malformed, 0},
		"without qop":        {func(d *digest.Credentials, _ *Request) { d.QOP = "" }, Malformed, 0},
		"auth-int":           {func(d *digest.Credentials, _ *Request) { d.QOP = "auth-int" }, Malformed, 0},
		"count zero":         {func(d *digest.Credentials, _ *Request) { d.Nc = 0 }, Malformed, 0},
		"count negative":     {func(d *digest.Credentials, _ *Request) { d.Nc = -1 }, Malformed, 0},
		"unknown algorithm":  {func(d *digest.Credentials, _ *Request) { d.Algorithm = "MD5-sess" }, Malformed, 0},
		"downgraded to MD5":  {func(d *digest.Credentials, _ *Request) { d.Algorithm = "" }, Wrong, 1},
		"hashed user name":   {func(d *digest.Credentials, _ *Request) { d.Userhash = true }, Malformed, 0},
		"no client's nonce":  {func(d *digest.Credentials, _ *Request) { d.Cnonce = "" }, Malformed, 0},
		"mapped IPv6 source": {func(_ *digest.Credentials, r *Request) { r.Source = netip.MustParseAddr("::ffff:192.0.2.7") }, Accepted, 1},
	} {
		t.Run(name, func(t *testing.T) {
			challenger, _ := newChallenger(t, 100)
			users := newUsers()
			answer := newClient(t, challenger.Challenges(source, false)[0], "alice", password).answer(called)
			r := invite(answer.String())
			c.change(answer, &r)
			if len(r.Authorization) > 0 && !strings.HasPrefix(r.Authorization[0], "Basic") && len(r.Authorization[0]) < maxHeader &&
				name != "garbage" {
				r.Authorization[0] = answer.String()
			}
			v := verify(t, challenger, r, users)
			if v.Outcome != c.want || users.lookups != c.lookups {
				t.Errorf("%v after %d lookups, want %v after %d", v.Outcome, users.lookups, c.want, c.lookups)
			}
			if v.Outcome != Accepted && v.User != (store.SIPUser{}) {
				t.Error("a user is given out without a password")
			}
		})
	}
}

func TestPicksTheCredentialsOfItsRealm(t *testing.T) {
	c, _ := newChallenger(t, 10)
	foreign := `Digest username="x", realm="proxy.example", nonce="n", uri="sip:y", response="0"`
	mine := newClient(t, c.Challenges(source, false)[1], "alice", password).answer(called).String()
	if v := verify(t, c, invite(foreign, "Digest broken", mine), newUsers()); v.Outcome != Accepted {
		t.Error(v.Outcome)
	}
	tel := newClient(t, c.Challenges(source, false)[0], "alice", password).answer("tel:+4420;phone-context=x").String()
	r := invite(tel)
	if r.URI = "tel:+4421"; verify(t, c, r, newUsers()).Outcome != Malformed {
		t.Error("a tel number was swapped")
	}
	if r.URI = "tel:+4420"; verify(t, c, r, newUsers()).Outcome != Accepted {
		t.Error("a tel number was not taken")
	}
}

// SE1: an expired nonce is told apart from a wrong password, so that phones retry
// without asking their user.
func TestExpiredNonceIsStale(t *testing.T) {
	c, clock := newChallenger(t, 10)
	phone := newClient(t, c.Challenges(source, false)[0], "alice", password)
	clock.Advance(5*time.Minute - time.Microsecond)
	if v := verify(t, c, invite(phone.answer(called).String()), newUsers()); v.Outcome != Accepted {
		t.Errorf("just before the end of its life: %v", v.Outcome)
	}
	clock.Advance(time.Microsecond)
	if v := verify(t, c, invite(phone.answer(called).String()), newUsers()); v.Outcome != Stale {
		t.Errorf("at the end of its life: %v", v.Outcome)
	}
	if again := newClient(t, c.Challenges(source, true)[0], "alice", password); !again.challenge.Stale {
		t.Error("the new challenge does not say stale")
	} else if v := verify(t, c, invite(again.answer(called).String()), newUsers()); v.Outcome != Accepted {
		t.Errorf("with the new nonce: %v", v.Outcome)
	}
}

// SE1: nonce replay is refused, whatever came in between.
func TestReplayIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _ := newChallenger(t, rapid.IntRange(1, 3).Draw(t, "nonces"))
		users := newUsers()
		var phones []*client
		accepted := map[string]bool{}
		var sent []string
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			var value string
			switch n := rapid.IntRange(0, 9).Draw(t, "what"); {
			case n == 0 || len(phones) == 0:
				phones = append(phones, newClient(t, c.Challenges(source, false)[n%2], "alice", password))
				continue
			case n < 4 && len(sent) > 0:
				value = rapid.SampledFrom(sent).Draw(t, "again")
			default:
				value = rapid.SampledFrom(phones).Draw(t, "phone").answer(called).String()
			}
			sent = append(sent, value)
			switch v := verify(t, c, invite(value), users); {
			case v.Outcome == Accepted && accepted[value]:
				t.Fatalf("accepted twice: %s", value)
			case v.Outcome == Accepted:
				accepted[value] = true
			case v.Outcome != Stale:
				t.Fatalf("%v", v.Outcome)
			}
			if len(c.counts.seen) > c.config.MaxNonces || len(c.counts.order) > c.config.MaxNonces {
				t.Fatalf("%d nonces kept", len(c.counts.seen))
			}
		}
	})
}

// The window agrees with a set of all counts, for counts that are not too far behind.
func TestCountWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		used, highest, w := map[uint32]bool{}, uint32(0), &window{}
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			count := rapid.Uint32Range(1, 200).Draw(t, "count")
			want := !used[count] && count+windowSize > highest
			if got := w.use(count); got != want {
				t.Fatalf("count %d with highest %d: %v", count, highest, got)
			}
			used[count], highest = true, max(highest, count)
		}
	})
}

// Requests sent at once may overtake one another.
func TestOvertakenRequestIsAccepted(t *testing.T) {
	c, _ := newChallenger(t, 10)
	phone := newClient(t, c.Challenges(source, false)[0], "alice", password)
	first, second := phone.answer(called).String(), phone.answer(called).String()
	for _, value := range []string{second, first} {
		if v := verify(t, c, invite(value), newUsers()); v.Outcome != Accepted {
			t.Error(v.Outcome)
		}
	}
}

func TestStoreFailureIsAnError(t *testing.T) {
	c, _ := newChallenger(t, 10)
	value := newClient(t, c.Challenges(source, false)[0], "alice", password).answer(called).String()
	away := errors.New("the database is away")
	if v, err := c.Verify(t.Context(), invite(value), &userTable{err: away}); !errors.Is(err, away) || v.Outcome == Accepted {
		t.Errorf("%v, %v", v.Outcome, err)
	} else if strings.Contains(err.Error(), "alice") || strings.Contains(err.Error(), "response") {
		t.Errorf("the error tells too much: %v", err)
	}
}

func TestChallengerConfigErrors(t *testing.T) {
	for _, c := range []ChallengerConfig{
		{NonceLife: time.Minute, MaxNonces: 1}, {Realm: `a"b`, NonceLife: time.Minute, MaxNonces: 1},
		{Realm: "a\r\nb", NonceLife: time.Minute, MaxNonces: 1},
		{Realm: "a", MaxNonces: 1}, {Realm: "a", NonceLife: time.Minute},
	} {
		if _, err := NewChallenger(c, clockwork.NewFakeClock()); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// SE4: whatever stands in the header, the answer is one of the outcomes and never
// Accepted.
func FuzzVerify(f *testing.F) {
	c, _ := newChallenger(f, 10)
	users := newUsers()
	good := newClient(f, c.Challenges(source, false)[0], "alice", password).answer(called)
	good.Response = strings.Repeat("0", 64)
	f.Add(good.String(), called)
	f.Add(`Digest username="a\"b", realm="conclave.example", nc=ffffffff, qop=auth, cnonce="", uri="sip:"`, "sip:")
	f.Add("Digest realm=conclave", "tel:")
	f.Add(`Digest username="`+"\xff\x00", ":@;")
	f.Fuzz(func(t *testing.T, value, uri string) {
		v, err := c.Verify(context.Background(), Request{Authorization: []string{value}, Method: "INVITE", URI: uri, Source: source}, users)
		if err != nil || v.Outcome == Accepted || v.Outcome > Malformed || len(v.Username) > maxName {
			t.Errorf("%v, %v", v.Outcome, err)
		}
	})
}

// What stands in for the hash of a user who has none opens nothing.
func TestStandInHashIsNoPassword(t *testing.T) {
	for _, name := range []string{"bob", "hashless"} {
		for i, challenge := range []int{0, 1} {
			c, _ := newChallenger(t, 10)
			parsed, err := digest.ParseChallenge(c.Challenges(source, false)[challenge])
			if err != nil {
				t.Fatal(err)
			}
			answer, err := digest.Digest(parsed, digest.Options{Method: "INVITE", URI: called, Count: 1, Username: name,
				A1: strings.Repeat("0", algorithms[i].hexSize)})
			if err != nil {
				t.Fatal(err)
			}
			if v := verify(t, c, invite(answer.String()), newUsers()); v.Outcome != Wrong {
				t.Errorf("%s by %s: %v", name, algorithms[i].name, v.Outcome)
			}
		}
	}
}
