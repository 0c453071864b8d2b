package callflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

// refusal is a call that is not answered.
type refusal struct {
	status  int
	cause   store.ReleaseCause
	step    string
	detail  string
	retry   time.Duration
	headers []signaling.Header
}

// refuse tells the caller, the trace and the log.
func (c *call) refuse(in *signaling.Invite, r refusal) {
	c.step(r.step, refused, r.detail)
	c.row.SIPStatus, c.row.Cause = r.status, r.cause
	if err := in.Reject(signaling.Rejection{Status: r.status, RetryAfter: r.retry, Headers: r.headers}); err != nil {
		c.logger.Debug("refusal not sent", "error", err)
	}
	c.logger.Info("call refused", "status", r.status, "step", r.step, "detail", r.detail)
}

// broken refuses because the store cannot be asked.
func (c *call) broken(in *signaling.Invite, step string, err error) {
	c.logger.Error("call refused", "step", step, "error", err)
	c.refuse(in, refusal{status: 503, cause: store.CauseError, step: step, detail: "the store cannot be asked", retry: 10 * time.Second})
}

// admit decides whether the call is answered: by the rules, the caller's password
// where they ask for one, and what the called number is (SPEC CA1, CA2).
func (c *call) admit(ctx context.Context, in *signaling.Invite) (store.AccessNumber, bool) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	rules, err := c.engine.config.Catalogue.ListCallRules(ctx)
	if err != nil {
		c.broken(in, "rule", err)
		return store.AccessNumber{}, false
	}
	action, rule := screening.Decide(rules, screening.Caller{Source: in.Source(), Transport: in.Transport(), Called: c.row.To,
		Own: c.engine.config.Own != nil && c.engine.config.Own(in.Source().Addr())})
	detail := "no rule matches"
	if rule != nil {
		detail = fmt.Sprintf("rule %d: %s", rule.Position, action)
	}
	switch {
	case action == store.RuleTrust:
		c.step("rule", ok, detail)
	case action == store.RuleDigest:
		c.step("rule", ok, detail)
		if !c.authenticate(ctx, in) {
			return store.AccessNumber{}, false
		}
	default:
		c.refuse(in, refusal{status: 403, cause: store.CauseRefused, step: "rule", detail: detail})
		return store.AccessNumber{}, false
	}
	number, err := c.engine.config.Billing.AuthorizeNumber(ctx, c.row.To)
	switch {
	case errors.Is(err, billing.ErrUnknownNumber):
		c.refuse(in, refusal{status: 404, cause: store.CauseRefused, step: "number", detail: "not an access number"})
		return number, false
	case err != nil:
		c.broken(in, "number", err)
		return number, false
	}
	c.step("number", ok, string(number.Application))
	return number, true
}

// authenticate checks digest credentials (RFC 3261 section 22). Guessing is slowed
// down, for the source and for the user name.
func (c *call) authenticate(ctx context.Context, in *signaling.Invite) bool {
	source := in.Source().Addr()
	keys := screening.SourceKeys(source)
	if allowed, retry := c.engine.config.Guard.Allow(keys...); !allowed {
		c.refuse(in, refusal{status: 503, cause: store.CauseRefused, step: "digest", detail: "too many wrong passwords", retry: retry})
		return false
	}
	verdict, err := c.engine.config.Challenger.Verify(ctx, screening.Request{Authorization: in.Header("Authorization"),
		Method: "INVITE", URI: in.RequestURIText(), Source: source}, c.engine.config.Catalogue)
	if err != nil {
		c.broken(in, "digest", err)
		return false
	}
	account := screening.AccountKey(c.engine.config.Realm, verdict.Username)
	switch verdict.Outcome {
	case screening.Accepted:
		if allowed, retry := c.engine.config.Guard.Allow(account); !allowed {
			c.refuse(in, refusal{status: 503, cause: store.CauseRefused, step: "digest", detail: "too many wrong passwords", retry: retry})
			return false
		}
		c.engine.config.Guard.Success(append(keys, account)...)
		c.step("digest", ok, verdict.Username)
		return true
	case screening.Malformed:
		c.refuse(in, refusal{status: 400, cause: store.CauseRefused, step: "digest", detail: "unusable credentials"})
		return false
	case screening.Wrong:
		c.engine.config.Guard.Fail(append(keys, account)...)
	}
	var headers []signaling.Header
	for _, value := range c.engine.config.Challenger.Challenges(source, verdict.Outcome == screening.Stale) {
		headers = append(headers, signaling.Header{Name: "WWW-Authenticate", Value: value})
	}
	c.refuse(in, refusal{status: 401, cause: store.CauseRefused, step: "digest", detail: verdict.Outcome.String(), headers: headers})
	return false
}

// answer opens the media and answers the call. It is false if the call is over.
func (c *call) answer(ctx context.Context, in *signaling.Invite, number store.AccessNumber) bool {
	c.number = number
	media, err := session.Open(c.engine.config.Ports, c.engine.config.Registry)
	if err != nil {
		c.logger.Error("no media", "error", err)
		c.refuse(in, refusal{status: 503, cause: store.CauseError, step: "media", detail: "no RTP port is free", retry: 30 * time.Second})
		return false
	}
	c.media, c.told = media, c.addressOf(media)
	if c.hosted != "" {
		media.TrustSignalled() // nodes, and callers that have been seen to be behind no NAT
	}
	description, ok := c.describe(in)
	if !ok {
		return false
	}
	dialog, late, err := in.Accept(ctx, description, c)
	if err != nil {
		c.step("answer", failed, err.Error())
		c.row.Cause = store.CauseCancelled
		if errors.Is(err, signaling.ErrCancelled) {
			c.row.SIPStatus = 487
		}
		return false
	}
	c.dialog = dialog
	c.row.AnsweredAt, c.row.SIPStatus = c.now(), 200
	if in.Offer() == nil {
		if err := c.RemoteAnswer(late); err != nil {
			c.step("answer", failed, err.Error())
			c.row.Cause = store.CauseError
			c.bye("the answer to our offer is unusable")
			return false
		}
	}
	c.live.Store(media)
	m := c.media.Agreed()
	c.step("answer", "ok", fmt.Sprintf("%s, RTP to %s", m.Format.Name, m.Remote))
	c.flush()
	c.keep()
	return true
}

// describe makes our session description: the answer to the offer, or the offer to
// a call that came without.
func (c *call) describe(in *signaling.Invite) ([]byte, bool) {
	var description []byte
	var err error
	if offer := in.Offer(); offer != nil {
		description, err = c.answerOffer(offer)
	} else {
		description, err = c.LocalOffer()
	}
	switch {
	case err == nil:
		return description, true
	case errors.Is(err, offeranswer.ErrMalformed):
		c.refuse(in, refusal{status: 400, cause: store.CauseRefused, step: "offer", detail: err.Error()})
	default:
		c.refuse(in, refusal{status: 488, cause: store.CauseRefused, step: "offer", detail: err.Error()})
	}
	return nil, false
}
