package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) users() {
	register(s, endpoint{method: http.MethodPut, path: "/sip-users/{username}", id: "put-sip-user", tag: "Callers",
		summary: "Add a SIP user, or change its password or account", access: operator}, s.putUser)
}

func (s *server) putUser(ctx context.Context, in *struct {
	Username string `path:"username" maxLength:"128" pattern:"^[A-Za-z0-9._~!$&'()*+,;=-]+$" patternDescription:"characters that need no escape in a SIP address" example:"alice"`
	Body     v1.PutSIPUser
}) (*reply[v1.SIPUser], error) {
	a, err := s.accountIn(ctx, in.Body.Account)
	if err != nil {
		return nil, err
	}
	u := store.SIPUser{Username: in.Username, Realm: in.Body.Realm, AccountID: a.ID}
	if u.Realm == "" {
		u.Realm = s.Realm
	}
	u.HA1MD5, u.HA1SHA256 = screening.HA1(u.Username, u.Realm, in.Body.Password)
	if err := s.Store.PutSIPUser(ctx, u); err != nil {
		return nil, err
	}
	return &reply[v1.SIPUser]{v1.SIPUser{Username: u.Username, Realm: u.Realm, AccountID: string(u.AccountID)}}, nil
}
