package callflow

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/dialogue"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// pair is two nodes that share a store. Everything is real but what the nodes use
// between them besides SIP and RTP, which is a call of the other's methods.
type pair struct {
	*testing.T
	store  *sqlstore.Store
	room   store.Room
	focus  store.Place // where the room's conference runs
	proofs *proofs
	nodes  map[string]*testNode
	site   *keeping
	fails  chan error // what asking for a seat fails with, one after the other
	untold chan error // and telling a standing
	told   atomic.Int64
	media  ForwardMedia
	deaf   atomic.Bool // no node answers a question about media
	stands chan bool   // when set: a standing was told, and no answer to an INVITE is seen before
}

// testNode is one of them.
type testNode struct {
	engine *Engine
	host   *conference.Host
	sip    *signaling.Endpoint
	media  *engine.Engine
	ports  *session.Ports
}

// proofs signs with the plain text: what is proven is tested where it is signed.
type proofs struct {
	mu    sync.Mutex
	known map[string]Handover
}

func (p *proofs) Sign(h Handover, sipCallID string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[sipCallID] = h
	return "proof of " + sipCallID, nil
}

func (p *proofs) Verify(header, sipCallID string) (Handover, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, known := p.known[sipCallID]
	if !known || header != "proof of "+sipCallID {
		return Handover{}, errors.New("forged")
	}
	return h, nil
}

// Locate: the room runs at the focus.
func (p *pair) Locate(_ context.Context, _ store.Room, over sites.Assignment) (sites.Assignment, error) {
	return sites.Assignment{Focus: p.focus, Kind: store.KindMain, Epoch: max(7, over.Epoch+1)}, nil
}

func (p *pair) Local(context.Context, store.Room) (sites.Assignment, error) {
	return sites.Assignment{}, sites.ErrAtHome
}

func (p *pair) Current(store.RoomID) (sites.Assignment, bool) { return sites.Assignment{}, false }

func (p *pair) at(node store.Place) *Engine { return p.nodes[node.Node].engine }

func (p *pair) SIP(node store.Place) (netip.AddrPort, bool) {
	return p.nodes[node.Node].sip.Addrs()[0].Addr, true
}
func (p *pair) Reserve(ctx context.Context, node store.Place, r Reservation) (store.ConferenceID, error) {
	select {
	case err := <-p.fails:
		return "", err
	default:
		return p.at(node).Reserve(ctx, r)
	}
}
func (p *pair) Cancel(_ context.Context, node store.Place, id store.ParticipantID) error {
	p.at(node).Cancel(id)
	return nil
}
func (p *pair) Key(_ context.Context, node store.Place, id store.ParticipantID, digit byte) error {
	return p.at(node).Key(id, digit)
}
func (p *pair) Hold(_ context.Context, node store.Place, id store.ParticipantID, held bool) error {
	return p.at(node).Hold(id, held)
}
func (p *pair) Say(_ context.Context, node store.Place, id store.ParticipantID, prompts []prompt.ID) error {
	return p.at(node).Say(id, prompts)
}

func (p *pair) Standing(_ context.Context, node store.Place, id store.ParticipantID, st roster.Standing) error {
	select {
	case err := <-p.untold:
		return err
	default:
	}
	err := p.at(node).Standing(p.focus, id, st)
	if err == nil {
		p.told.Add(1)
	}
	if p.stands != nil {
		p.stands <- true
	}
	return err
}
func (p *pair) Media(_ context.Context, node store.Place, ids []store.ParticipantID) (map[store.ParticipantID]MediaReport, error) {
	if p.deaf.Load() {
		return nil, errors.New("no answer")
	}
	return p.at(node).Media(ids), nil
}
func (p *pair) Qualities(ctx context.Context, node store.Place, callers []store.ParticipantID) (map[store.ParticipantID]Quality, error) {
	return p.at(node).Qualities(ctx, callers), nil
}

func (p *pair) MediaEnded(_ context.Context, node store.Place, id store.ParticipantID, r MediaReport) error {
	return p.at(node).MediaEnded(id, r)
}
func (p *pair) Cut(string) bool                         { return false }
func (p *pair) Alive(store.Place) bool                  { return true }
func (p *pair) Ping(context.Context, store.Place) error { return nil }

func (p *pair) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

const (
	testNumber = "5550100"
	testCode   = "1234"
)

// newPair starts nodes a and b; the room's conference runs at b. Media of forwarded calls
// is relayed, unless said otherwise.
func newPair(t *testing.T, balance money.Amount, media ...ForwardMedia) *pair {
	p := &pair{T: t, media: append(media, MediaRelay)[0], focus: store.Place{Site: "here", Node: "b"}, proofs: &proofs{known: map[string]Handover{}}, nodes: map[string]*testNode{},
		site: &keeping{owner: map[store.CallID]string{}, states: map[store.CallID][]byte{}}, fails: make(chan error, 8), untold: make(chan error, 8)}
	var err error
	p.store, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	p.must(err)
	t.Cleanup(func() { p.store.Close() })
	p.must(p.store.Migrate(t.Context()))
	p.fill(balance)
	prompts, err := prompt.Load()
	p.must(err)
	for _, name := range []string{"a", "b"} {
		p.start(name, prompts)
	}
	return p
}

func (p *pair) fill(balance money.Amount) {
	ctx, now := p.Context(), time.Now().UTC()
	customer := store.Customer{ID: store.NewCustomerID(), Name: "Acme", CreatedAt: now}
	tariff := store.Tariff{ID: store.NewTariffID(), Name: "t", Currency: "USD"}
	account := store.Account{ID: store.NewAccountID(), CustomerID: customer.ID, Name: "acme", Currency: "USD", TariffID: tariff.ID, Balance: balance, CreatedAt: now}
	p.must(p.store.CreateCustomer(ctx, customer))
	p.must(p.store.CreateTariff(ctx, tariff))
	p.must(p.store.PutRate(ctx, store.Rate{TariffID: tariff.ID, Service: store.ServiceConferencing, PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}))
	p.must(p.store.CreateAccount(ctx, account, "test"))
	p.must(p.store.CreateAccessNumber(ctx, store.AccessNumber{ID: store.NewAccessNumberID(), Number: testNumber, Application: store.ApplicationConference, CodeSpace: "x", Language: "en"}))
	p.must(p.store.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Position: 1, Source: netip.MustParsePrefix("127.0.0.0/8"), Action: store.RuleTrust}))
	var err error
	p.room, err = p.store.CreateRoom(ctx, store.Room{ID: store.NewRoomID(), CustomerID: customer.ID, AccountID: account.ID, Name: "room", CodeSpace: "x",
		HostCode: "9876", GuestCode: testCode, HomeSite: "here", GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone,
		AnnounceCount: true, Music: true, CreatedAt: now, UpdatedAt: now}, 4)
	p.must(err)
}

// start runs a node until the test ends.
func (p *pair) start(name string, prompts *prompt.Library) {
	clock, logger := clockwork.NewRealClock(), hclog.NewNullLogger()
	if testing.Verbose() {
		logger = hclog.New(&hclog.LoggerOptions{Name: name, Level: hclog.Debug})
	}
	place := store.Place{Site: "here", Node: name}
	first := uint16(loopback.Ports(p, 100))
	ports, err := session.NewPorts(netip.MustParseAddr("127.0.0.1"), first, first+99)
	p.must(err)
	challenger, err := screening.NewChallenger(screening.DefaultChallengerConfig("test"), clock)
	p.must(err)
	guard, err := screening.NewGuard(screening.DefaultGuardConfig(), clock)
	p.must(err)
	n := &testNode{media: engine.New(1), ports: ports}
	p.nodes[name] = n
	bill := billing.NewService(p.store, billing.DefaultPolicy(), clock, logger)
	n.host = conference.NewHost(conference.Config{Place: place, Incarnation: 1, Engine: n.media, Store: p.store, Prompts: prompts, Clock: clock, Logger: logger})
	n.engine = New(Config{Place: place, Incarnation: 1, Catalogue: p.store, Traces: p.store, Billing: bill, Locator: p, Host: n.host,
		Foci: p, Handovers: p.proofs, ForwardMedia: p.media, Dial: func(ctx context.Context, r signaling.DialRequest, h signaling.DialogHandler) (*signaling.Dialog, []byte, error) {
			dialog, answer, err := n.sip.Dial(ctx, r, h)
			if p.stands != nil {
				<-p.stands
			}
			return dialog, answer, err
		}, Custody: keeper{p.site, name}, Restore: func(ctx context.Context, st signaling.DialogState, h signaling.DialogHandler) (*signaling.Dialog, error) {
			return n.sip.Restore(ctx, st, h)
		}, Realm: "test", Challenger: challenger, Guard: guard, Registry: codec.Standard(), Ports: ports, Media: n.media, MediaTimeout: 10 * time.Second, Prompts: prompts,
		Dialogue: dialogue.DefaultConfig(), MediaAddr: netip.MustParseAddr("127.0.0.1"), Clock: clock, Logger: logger})
	addr := loopback.Address(loopback.Ports(p, 2))
	n.sip, err = signaling.Listen(signaling.Config{Listen: []signaling.ListenAddr{{Network: "udp", Addr: addr}, {Network: "tcp", Addr: addr}}, Logger: logger, Clock: clock}, n.engine)
	p.must(err)
	p.run(n.media.Run, bill.Run, n.host.Run, n.engine.Run, n.sip.Run)
}

// run runs parts until the test ends, and ends them from the last to the first.
func (p *pair) run(parts ...func(context.Context) error) {
	for _, part := range parts {
		ctx, stop := context.WithCancel(context.Background())
		var g errgroup.Group
		g.Go(func() error { return part(ctx) })
		p.Cleanup(func() {
			stop()
			if err := g.Wait(); err != nil {
				p.Error(err)
			}
		})
	}
}

// dial lets a phone call a node and key the code in.
func (p *pair) dial(ctx context.Context, n int, node string, o baresip.Options) *baresip.Phone {
	p.Helper()
	o.Name, o.Tone = fmt.Sprint("caller", n), tone.Caller(n)
	phone := baresip.Start(p, o)
	p.must(phone.Call(ctx, testNumber, p.nodes[node].sip.Addrs()[0].Addr.String()))
	p.must(phone.SendDigits(ctx, testCode+"#"))
	return phone
}

// eventually waits for what other goroutines bring about.
func (p *pair) eventually(what string, is func() bool) {
	p.Helper()
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			p.Fatal("never: ", what)
		}
	}
}

func (p *pair) xdrs() []store.XDR {
	p.Helper()
	list, err := p.store.ListXDRs(p.Context(), store.Scope{}, store.XDRFilter{}, store.Page{})
	p.must(err)
	return list
}

// CA6, MS2: a caller whose call another node took is in the room like everybody; keys
// work, and each stay has one record with where it came in and where it was mixed.
func TestForwardedCaller(t *testing.T) {
	for _, way := range []ForwardMedia{MediaRelay, MediaDirect, MediaAuto} {
		t.Run(string(way), func(t *testing.T) { forwardedCaller(newPair(t, 100*money.Unit, way)) })
	}
}

func forwardedCaller(p *pair) {
	t := p.T
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	away := p.dial(ctx, 0, "a", baresip.Options{})
	near := p.dial(ctx, 1, "b", baresip.Options{})
	p.eventually("both are in", func() bool { return p.nodes["b"].host.Load().Seats == 2 })
	p.must(away.Hears(ctx, tone.Caller(1), time.Second))
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(away.HearsNone(ctx, time.Second, tone.Caller(0)))
	if p.media != MediaRelay {
		p.goesDirect("a")
		p.must(away.Hears(ctx, tone.Caller(1), time.Second))
		p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	}
	before := p.nodes["a"].engine.Relayed()

	p.must(away.SendDigits(ctx, "*6"))
	p.must(near.HearsNone(ctx, time.Second, tone.Caller(0)))
	p.must(away.SendDigits(ctx, "*6"))
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))

	p.must(away.Hold(ctx))
	p.must(near.HearsNone(ctx, time.Second, tone.Caller(0)))
	p.must(away.Resume(ctx))
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))

	if n := p.nodes["a"].engine.Relayed() - before; (n == 0) != (p.media != MediaRelay) {
		t.Errorf("%d packets were relayed", n)
	}
	p.must(away.Hangup(ctx))
	p.eventually("it is out", func() bool { return p.nodes["b"].host.Load().Seats == 1 })
	p.must(near.Hangup(ctx))
	p.eventually("both are settled", func() bool { return len(p.xdrs()) == 2 })
	for _, x := range p.xdrs() {
		ingress := map[string]string{"caller0": "a", "caller1": "b"}[x.Caller]
		if x.Ingress.Node != ingress || x.Focus.Node != "b" || x.Cause != store.CauseHangup || x.Amount != money.MustParse("0.03") || x.Epoch != 7 {
			t.Errorf("%+v", x)
		}
	}
	p.nothingLeft()
}

// nothingLeft wants every port, seat and dialog given back.
func (p *pair) nothingLeft() {
	p.Helper()
	for name, n := range p.nodes {
		p.eventually("node "+name+" holds nothing", func() bool {
			return n.ports.InUse() == 0 && n.host.Load() == conference.Load{} && n.sip.Stats().Dialogs == 0 && n.engine.Calls() == 0
		})
	}
}

// CF6, CA8: a forwarded caller presses by SIP INFO, and when the focus lets it go its
// own node says why and hangs up.
func TestForwardedCallerIsLetGo(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	away := p.dial(ctx, 0, "a", baresip.Options{InfoDigits: true})
	near := p.dial(ctx, 1, "b", baresip.Options{})
	p.eventually("both are in", func() bool { return p.nodes["b"].host.Load().Seats == 2 })
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(away.SendDigits(ctx, "*6"))
	p.must(near.HearsNone(ctx, time.Second, tone.Caller(0)))
	c := p.nodes["b"].host.Conferences()[0]
	members, err := p.store.ListParticipants(ctx, store.Scope{}, c.ID(), false, store.Page{})
	p.must(err)
	for _, m := range members {
		if m.Caller == "caller0" {
			p.must(c.Eject(m.ID, conference.By{API: "test"}))
		}
	}
	_, err = away.Closed(ctx)
	p.must(err)
	p.must(near.Hangup(ctx))
	p.eventually("both are settled", func() bool { return len(p.xdrs()) == 2 })
	for _, x := range p.xdrs() {
		if x.Caller == "caller0" && x.Cause != store.CauseEjected {
			t.Errorf("%+v", x)
		}
	}
	p.nothingLeft()
}

// CF9, CA5: refusals at the focus and by billing reach the caller, and no seat stays.
func TestForwardedCallerIsRefused(t *testing.T) {
	p := newPair(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poor := p.dial(ctx, 0, "a", baresip.Options{})
	_, err := poor.Closed(ctx)
	p.must(err)
	if n := len(p.xdrs()); n != 0 {
		t.Errorf("%d records of a caller who was not let in", n)
	}
	p.nothingLeft()
}

// MS14, CF9: the node of the conference is lost, or the conference moves, while the caller
// is on its way there: it is asked again, and the caller comes in, with one record.
func TestForwardedCallerTriesAgain(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, err := range []error{errUnreachable, conference.ErrEpochOver, roster.ErrEnded, conference.ErrEpochOver, conference.ErrEpochOver, conference.ErrEpochOver} {
		p.fails <- err
	}
	away, near := p.dial(ctx, 0, "a", baresip.Options{}), p.dial(ctx, 1, "b", baresip.Options{})
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(away.Hangup(ctx))
	p.must(near.Hangup(ctx))
	p.eventually("one record of each", func() bool { return len(p.xdrs()) == 2 })
	p.nothingLeft()
}

// MS16: what the caller has in the conference is told its own node until that has it:
// without it, the caller would come back muted when the conference moves.
func TestStandingIsToldAgain(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.untold <- errUnreachable
	p.untold <- ErrNoSuchCaller
	away := p.dial(ctx, 0, "a", baresip.Options{})
	p.eventually("it is told", func() bool { return p.told.Load() == 1 })
	p.must(away.Hangup(ctx))
	p.eventually("one record", func() bool { return len(p.xdrs()) == 1 })
	p.nothingLeft()
}

// SE2: an INVITE with a proof that is none gets 403 and nothing else, and is counted.
func TestForgedHandover(t *testing.T) {
	p := newPair(t, money.Unit)
	result := sipp.Call(t, t.Context(), sipp.Caller{Target: p.nodes["b"].sip.Addrs()[0].Addr.String(), Number: "room", Expect: 403,
		Headers: []string{handoverHeader + ": proof of nothing"}})
	if result.Successful != 1 || p.nodes["b"].engine.RefusedHandovers() != 1 {
		t.Errorf("%+v, %d counted", result.Statuses(), p.nodes["b"].engine.RefusedHandovers())
	}
	p.nothingLeft()
}

// MS8, MS12: a caller whose ingress has lost sight of the focus comes back to the same
// one, where its earlier call may still be: it has one seat, as it was, and is heard.
func TestReturnsToTheSameFocus(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	away, near := p.dial(ctx, 0, "a", baresip.Options{}), p.dial(ctx, 1, "b", baresip.Options{})
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(away.Hears(ctx, tone.Caller(1), time.Second))
	for range 3 {
		leg := p.leg("a")
		leg.release(store.CauseLost)
		p.eventually("another leg", func() bool { now := p.leg("a"); return now != nil && now != leg })
		p.must(near.Hears(ctx, tone.Caller(0), time.Second))
		p.must(away.Hears(ctx, tone.Caller(1), time.Second))
		p.eventually("one seat for each", func() bool { return p.nodes["b"].host.Load().Seats == 2 })
	}
	// A node where the caller is no longer has no say, and learns so.
	earlier := store.Place{Site: "here", Node: "c"}
	if err := p.nodes["a"].engine.Standing(earlier, p.leg("a").participant, roster.Standing{}); !errors.Is(err, ErrNoSuchCaller) {
		t.Errorf("the standing told by another node: %v", err)
	}
	p.must(away.Hangup(ctx))
	p.eventually("it is out", func() bool { return p.nodes["b"].host.Load().Seats == 1 })
	p.must(near.HearsNone(ctx, time.Second, tone.Caller(0)))
	p.must(near.Hangup(ctx))
	p.eventually("one record of each", func() bool { return len(p.xdrs()) == 2 })
	p.nothingLeft()
}

// MS16, MS8: the focus tells of a caller before its answer is seen. That counts: the
// caller is not muted when it is moved.
func TestStandingBeforeTheAnswer(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	p.stands = make(chan bool, 64) // more than a test makes
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	away, near := p.dial(ctx, 0, "a", baresip.Options{}), p.dial(ctx, 1, "b", baresip.Options{})
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	leg := p.leg("a")
	leg.release(store.CauseLost)
	p.eventually("another leg", func() bool { now := p.leg("a"); return now != nil && now != leg })
	before, err := near.Heard()
	p.must(err)
	p.eventually("more is heard", func() bool {
		now, err := near.Heard()
		p.must(err)
		return now.Duration() > before.Duration()+2*time.Second
	})
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(away.Hangup(ctx))
	p.must(near.Hangup(ctx))
	p.eventually("one record of each", func() bool { return len(p.xdrs()) == 2 })
	p.nothingLeft()
}

// leg is the one call of a node that is at another; nil: there is none.
func (p *pair) leg(node string) *focusLeg {
	h := &p.nodes[node].engine.hosting
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.legs {
		return l
	}
	return nil
}
