package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/callflow/peers"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/journal/wal"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// tenantData is what one customer has: one of everything.
type tenantData struct {
	customer    store.Customer
	account     store.Account
	number      store.AccessNumber
	room        store.Room
	conference  store.Conference
	participant store.Participant
	left        store.Participant // has an xDR
	call        store.Call
	recording   store.Recording
	segment     store.RecordingSegment
}

// fixture is an API over a real store with two customers.
type fixture struct {
	*testing.T
	store      *sqlstore.Store
	clock      *clockwork.FakeClock
	focus      *recordingFocus
	media      someMedia
	journal    *journal.Journal
	log        *strings.Builder
	recordings string // the folder with their files
	server     *httptest.Server
	handler    http.Handler
	one, two   tenantData
	tokens     map[string]string // secrets by name
}

// direct asks the store without a guard.
type direct struct{}

func (direct) Do(ctx context.Context, ask func(context.Context) error) error { return ask(ctx) }

// recordingFocus notes the commands that it is given.
type recordingFocus struct {
	commands []string
	speakers []conference.Speaker
}

func (f *recordingFocus) Speakers(context.Context, store.ConferenceID) ([]conference.Speaker, error) {
	return f.speakers, nil
}

func (f *recordingFocus) note(what string, by conference.By) error {
	f.commands = append(f.commands, what+" "+by.String())
	return nil
}
func (f *recordingFocus) SetMuted(_ context.Context, _ store.ConferenceID, _ store.ParticipantID, _ bool, by conference.By) error {
	return f.note("mute", by)
}
func (f *recordingFocus) SetAllMuted(_ context.Context, _ store.ConferenceID, _ bool, by conference.By) error {
	return f.note("mute-all", by)
}
func (f *recordingFocus) SetLocked(_ context.Context, _ store.ConferenceID, _ bool, by conference.By) error {
	return f.note("lock", by)
}
func (f *recordingFocus) SetRole(_ context.Context, _ store.ConferenceID, _ store.ParticipantID, _ store.Role, by conference.By) error {
	return f.note("role", by)
}
func (f *recordingFocus) Eject(_ context.Context, _ store.ConferenceID, _ store.ParticipantID, by conference.By) error {
	return f.note("eject", by)
}
func (f *recordingFocus) End(_ context.Context, _ store.ConferenceID, by conference.By) error {
	return f.note("end", by)
}
func (f *recordingFocus) StartRecording(_ context.Context, _ store.ConferenceID, o conference.RecordingOptions, by conference.By) error {
	return f.note(fmt.Sprintf("record %s", o.Format), by)
}
func (f *recordingFocus) StopRecording(_ context.Context, _ store.ConferenceID, by conference.By) error {
	return f.note("stop-recording", by)
}

// someMedia knows the media of those that it is told of.
type someMedia map[store.ParticipantID]callflow.Quality

func (m someMedia) Qualities(context.Context, []store.Participant) map[store.ParticipantID]callflow.Quality {
	return m
}

func newFixture(t *testing.T, open bool) *fixture {
	f := &fixture{T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)), focus: &recordingFocus{}, media: someMedia{},
		log: &strings.Builder{}, tokens: map[string]string{}}
	var err error
	f.store, err = sqlstore.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "conclave.db"))
	f.must(err)
	t.Cleanup(func() { f.store.Close() })
	f.must(f.store.Migrate(t.Context()))
	tariff := store.Tariff{ID: store.NewTariffID(), Name: "conferencing", Currency: "USD"}
	f.must(f.store.CreateTariff(t.Context(), tariff))
	f.must(f.store.PutRate(t.Context(), store.Rate{TariffID: tariff.ID, Service: store.ServiceConferencing,
		PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}))
	f.recordings = t.TempDir()
	archive, err := recording.NewArchive(recording.Config{Dir: f.recordings, Place: store.Place{Site: "here", Node: "n1"}}, nil, 0)
	f.must(err)
	t.Cleanup(func() { f.must(archive.Close()) })
	f.fill(&f.one, "one", "18001", tariff.ID)
	f.fill(&f.two, "two", "18002", tariff.ID)
	f.journal, err = journal.Open(journal.Config{Config: wal.Config{Dir: t.TempDir()}}, f.store, direct{}, f.clock, hclog.NewNullLogger())
	f.must(err)
	t.Cleanup(func() { f.journal.Close() })
	f.handler = New(Config{Store: f.store, Ledger: billing.NewLedger(f.store, f.clock), Focus: f.focus, Media: f.media, Place: store.Place{Site: "here", Node: "n1"}, Journal: f.journal, Codecs: Codecs(codec.NewRegistry(codec.PCMU(), absent())),
		Files:   peers.NewRecordings(store.Place{Site: "here", Node: "n1"}, archive, nil),
		Cluster: NewAlone(func() v1.Node { return v1.Node{Site: "here", Node: "n1"} }, func() v1.NodeStatus { return v1.NodeStatus{Ready: "ready", Store: "ok"} }, func(bool) {}), Realm: "conclave",
		Open: open, Clock: f.clock, Logger: hclog.New(&hclog.LoggerOptions{Output: f.log, Level: hclog.Debug})})
	f.server = httptest.NewServer(f.handler)
	t.Cleanup(f.server.Close)
	f.token("operator", store.TokenOperator, "", time.Time{})
	f.token("customer", store.TokenCustomer, f.one.customer.ID, time.Time{})
	f.token("reader", store.TokenReadOnly, f.one.customer.ID, time.Time{})
	f.token("other", store.TokenCustomer, f.two.customer.ID, time.Time{})
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) token(name string, role store.TokenRole, c store.CustomerID, expires time.Time) {
	f.tokens[name] = newSecret()
	f.must(f.store.CreateToken(f.Context(), store.APIToken{ID: store.NewTokenID(), Name: name, Hash: HashToken(f.tokens[name]),
		Role: role, CustomerID: c, CreatedAt: f.clock.Now(), ExpiresAt: expires}))
}

// fill gives a customer one of everything.
func (f *fixture) fill(d *tenantData, name, number string, tariff store.TariffID) {
	ctx, now := f.Context(), f.clock.Now()
	place := store.Place{Site: "here", Node: "n1"}
	d.customer = store.Customer{ID: store.NewCustomerID(), Name: name, CreatedAt: now}
	f.must(f.store.CreateCustomer(ctx, d.customer))
	d.account = store.Account{ID: store.NewAccountID(), CustomerID: d.customer.ID, Name: "account " + name, Currency: "USD",
		TariffID: tariff, Balance: 100 * money.Unit, CreatedAt: now}
	f.must(f.store.CreateAccount(ctx, d.account, "test"))
	d.number = store.AccessNumber{ID: store.NewAccessNumberID(), Number: number, Application: store.ApplicationConference,
		CodeSpace: "space " + name, CustomerID: d.customer.ID}
	f.must(f.store.CreateAccessNumber(ctx, d.number))
	room, err := f.store.CreateRoom(ctx, store.Room{ID: store.NewRoomID(), CustomerID: d.customer.ID, AccountID: d.account.ID, Name: "room " + name,
		CodeSpace: "space " + name, HomeSite: "here", GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone,
		CreatedAt: now, UpdatedAt: now}, 6)
	f.must(err)
	d.room = room
	d.conference = store.Conference{ID: store.NewConferenceID(), RoomID: room.ID, CustomerID: d.customer.ID, AccountID: d.account.ID,
		RoomName: room.Name, Kind: store.KindMain, Focus: place, Incarnation: 1, Epoch: 1, StartedAt: now}
	f.must(f.store.OpenConference(ctx, d.conference))
	d.call = store.Call{ID: store.NewCallID(), SIPCallID: "call of " + name, CustomerID: d.customer.ID, Direction: "in", From: "1", To: "2",
		Source: "127.0.0.1:5060", Transport: "udp", Node: place, StartedAt: now}
	f.must(f.store.PutCall(ctx, d.call))
	f.keepRecording(d, place)
	d.participant, d.left = f.stay(d, place), f.stay(d, place)
	_, err = f.store.SettleStay(ctx, f.record(d.left))
	f.must(err)
}

// keepRecording gives a customer a recording that has ended, with a file of 1000 octets.
func (f *fixture) keepRecording(d *tenantData, place store.Place) {
	now := f.clock.Now()
	d.recording = store.Recording{ID: store.NewRecordingID(), CustomerID: d.customer.ID, RoomID: d.room.ID, ConferenceID: d.conference.ID,
		RoomName: d.room.Name, Format: store.FormatWAV, StartedAt: now, StoppedAt: now, Reason: store.RecordingStopped}
	d.segment = store.RecordingSegment{ID: store.NewSegmentID(), RecordingID: d.recording.ID, Number: 1, ConferenceID: d.conference.ID, Place: place,
		Path: string(d.recording.ID), StartedAt: now, EndedAt: now, Length: 1500 * time.Millisecond, Octets: 1000}
	f.must(f.store.PutRecording(f.Context(), d.recording))
	f.must(f.store.PutSegment(f.Context(), d.segment))
	folder := filepath.Join(f.recordings, d.segment.Path)
	f.must(os.Mkdir(folder, 0o700))
	f.must(os.WriteFile(filepath.Join(folder, "mix.wav"), bytes.Repeat([]byte("0123456789"), 100), 0o600))
}

func (f *fixture) stay(d *tenantData, place store.Place) store.Participant {
	p := store.Participant{ID: store.NewParticipantID(), ConferenceID: d.conference.ID, RoomID: d.room.ID, CustomerID: d.customer.ID,
		AccountID: d.account.ID, CallID: d.call.ID, Role: store.RoleSpeaker, Caller: "alice", Called: d.number.Number, Ingress: place, Focus: place,
		Incarnation: 1, Epoch: 1, JoinedAt: f.clock.Now(), Currency: "USD",
		Rate: store.Rate{TariffID: d.account.TariffID, Service: store.ServiceConferencing, PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}}
	f.must(f.store.BeginStay(f.Context(), p, money.Unit))
	return p
}

// record is the xDR of a stay of 90 seconds.
func (f *fixture) record(p store.Participant) store.XDR {
	end := p.JoinedAt.Add(90 * time.Second)
	return store.XDR{ID: p.ID, ConferenceID: p.ConferenceID, RoomID: p.RoomID, RoomName: "room", CustomerID: p.CustomerID, AccountID: p.AccountID,
		CallID: p.CallID, Service: store.ServiceConferencing, Caller: p.Caller, Called: p.Called, Ingress: p.Ingress, Focus: p.Focus, Epoch: p.Epoch,
		StartedAt: p.JoinedAt, EndedAt: end, Duration: 90 * time.Second, Billed: 2 * time.Minute, Rate: p.Rate, Amount: money.MustParse("0.06"),
		Currency: "USD", Cause: store.CauseHangup, RecordedAt: end}
}

// logged stops the server, so that all is logged, and returns the log.
func (f *fixture) logged() string {
	f.server.Close()
	return f.log.String()
}

// ask sends a request with a token, by name, and returns the status and the body.
func (f *fixture) ask(token, method, path, body string) (int, string) {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), method, f.server.URL+path, strings.NewReader(body))
	f.must(err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+f.tokens[token])
	}
	res, err := http.DefaultClient.Do(req)
	f.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	f.must(err)
	return res.StatusCode, string(text)
}
