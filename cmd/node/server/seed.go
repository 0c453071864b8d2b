package server

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// The demo data of `node dev`, as the banner tells it.
const (
	demoNumber   = "18665552637"
	demoAccount  = "conf1234"
	demoUser     = "alice"
	demoPassword = "wonderland"
	demoSite     = "local"
)

// demoRooms are the rooms of the demo account.
func demoRooms() []store.Room {
	return []store.Room{
		{Name: "Demo room", HostCode: "987654", GuestCode: "123456"},
		{Name: "Board", HostCode: "876543", GuestCode: "234567", Moderated: true, EndGrace: 30 * time.Second},
	}
}

// seed puts the demo data in, in one transaction, at the first start only: what
// was changed or removed since stays so.
func seed(ctx context.Context, s store.Store, realm string, now time.Time) error {
	_, err := s.Once(ctx, "demo data", func(ctx context.Context, tx store.Store) error {
		account, err := seedAccount(ctx, tx, now)
		if err != nil {
			return err
		}
		if err := tx.CreateAccessNumber(ctx, store.AccessNumber{ID: store.NewAccessNumberID(), Number: demoNumber,
			Application: store.ApplicationConference, CodeSpace: demoNumber, Language: "en"}); err != nil {
			return fmt.Errorf("access number: %w", err)
		}
		for _, room := range demoRooms() {
			if err := seedRoom(ctx, tx, room, account, now); err != nil {
				return err
			}
		}
		return seedCallers(ctx, tx, realm, account.ID)
	})
	if err != nil {
		return fmt.Errorf("put the demo data in: %w", err)
	}
	return nil
}

func seedAccount(ctx context.Context, tx store.Store, now time.Time) (store.Account, error) {
	customer := store.Customer{ID: store.NewCustomerID(), Name: "Demo", CreatedAt: now}
	tariff := store.Tariff{ID: store.NewTariffID(), Name: "Demo conferencing", Currency: "USD"}
	account := store.Account{ID: store.NewAccountID(), CustomerID: customer.ID, Name: demoAccount, Currency: "USD",
		TariffID: tariff.ID, Balance: 100 * money.Unit, CreatedAt: now}
	rate := store.Rate{TariffID: tariff.ID, Service: store.ServiceConferencing,
		PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}
	if err := tx.CreateCustomer(ctx, customer); err != nil {
		return account, fmt.Errorf("customer: %w", err)
	}
	if err := tx.CreateTariff(ctx, tariff); err != nil {
		return account, fmt.Errorf("tariff: %w", err)
	}
	if err := tx.PutRate(ctx, rate); err != nil {
		return account, fmt.Errorf("rate: %w", err)
	}
	if err := tx.CreateAccount(ctx, account, "node dev"); err != nil {
		return account, fmt.Errorf("account: %w", err)
	}
	return account, nil
}

func seedRoom(ctx context.Context, tx store.Store, room store.Room, account store.Account, now time.Time) error {
	room.ID, room.CustomerID, room.AccountID = store.NewRoomID(), account.CustomerID, account.ID
	room.CodeSpace, room.HomeSite = demoNumber, demoSite
	room.GuestRole, room.EntrySound, room.ExitSound = store.RoleSpeaker, store.SoundTone, store.SoundTone
	room.AnnounceCount, room.Music = true, true
	room.Recording.Mode = store.RecordOnDemand
	room.CreatedAt, room.UpdatedAt = now, now
	if _, err := tx.CreateRoom(ctx, room, len(room.GuestCode)); err != nil {
		return fmt.Errorf("room %q: %w", room.Name, err)
	}
	return nil
}

// seedCallers trusts this machine, and asks everybody else for a password.
func seedCallers(ctx context.Context, tx store.Store, realm string, account store.AccountID) error {
	rules := []store.CallRule{
		{ID: store.NewRuleID(), Position: 10, Source: netip.MustParsePrefix("127.0.0.0/8"), Action: store.RuleTrust},
		{ID: store.NewRuleID(), Position: 20, Action: store.RuleDigest},
	}
	for _, r := range rules {
		if err := tx.CreateCallRule(ctx, r); err != nil {
			return fmt.Errorf("call-handling rule: %w", err)
		}
	}
	md5, sha256 := screening.HA1(demoUser, realm, demoPassword)
	if err := tx.PutSIPUser(ctx, store.SIPUser{Username: demoUser, Realm: realm, AccountID: account,
		HA1MD5: md5, HA1SHA256: sha256}); err != nil {
		return fmt.Errorf("SIP user: %w", err)
	}
	return nil
}
