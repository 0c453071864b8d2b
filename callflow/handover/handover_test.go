package handover

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/store"
)

var (
	west, east = store.Place{Site: "west", Node: "a"}, store.Place{Site: "east", Node: "b"}
	oldKey     = bytes.Repeat([]byte{1}, 32)
	newKey     = bytes.Repeat([]byte{2}, 32)
)

const callID = "a84b4c76e66710@pc33.example"

func keys(list ...[]byte) Keys { return func() [][]byte { return list } }

// pair are two nodes with a clock.
func pair(signs, believes Keys) (from, to *Handovers, clock *clockwork.FakeClock) {
	clock = clockwork.NewFakeClockAt(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	return New(west, signs, clock), New(east, believes, clock), clock
}

var handed = callflow.Handover{Participant: "p1", Call: "c1", From: west, To: east}

func sign(t testing.TB, h *Handovers, of callflow.Handover) string {
	t.Helper()
	proof, err := h.Sign(of, callID)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// SE2: what one node signs, the other reads, once.
func TestTakenOnce(t *testing.T) {
	from, to, clock := pair(keys(newKey, oldKey), keys(oldKey, newKey))
	proof := sign(t, from, handed)
	if got, err := to.Verify(proof, callID); err != nil || got != handed {
		t.Errorf("%+v %v", got, err)
	}
	for range 5 {
		if _, err := to.Verify(proof, callID); !errors.Is(err, ErrReplayed) && !errors.Is(err, ErrTime) {
			t.Errorf("a second time: %v", err)
		}
		clock.Advance(Lifetime / 4)
	}
	if len(proof) > 600 {
		t.Errorf("a header of %d bytes", len(proof))
	}
}

// SE2: bound to call, node and time; refused if forged, with the reason.
func TestRefused(t *testing.T) {
	type presented struct {
		proof, sip string
		clock      *clockwork.FakeClock
	}
	for name, x := range map[string]struct {
		of   func(h *callflow.Handover)
		then func(p *presented)
		want error
	}{
		"another call":   {then: func(p *presented) { p.sip = "other" }, want: ErrOtherCall},
		"another node":   {of: func(h *callflow.Handover) { h.To.Node = "c" }, want: ErrOtherNode},
		"expired":        {then: func(p *presented) { p.clock.Advance(Lifetime + Skew + time.Second) }, want: ErrTime},
		"of the future":  {then: func(p *presented) { p.clock.Advance(-Skew - 2*time.Second) }, want: ErrTime},
		"no participant": {of: func(h *callflow.Handover) { h.Participant = "" }, want: ErrMalformed},
		"no sender":      {of: func(h *callflow.Handover) { h.From = store.Place{} }, want: ErrMalformed},
		"signature":      {then: func(p *presented) { p.proof = flip(p.proof, len(p.proof)-10) }, want: ErrForged},
		"nothing":        {then: func(p *presented) { p.proof = "" }, want: ErrMalformed},
		"very long":      {then: func(p *presented) { p.proof += strings.Repeat("A", maxHeader) }, want: ErrMalformed},
		"unsigned":       {then: func(p *presented) { p.proof = unsigned(p.clock.Now()) }, want: ErrForged},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, clock := pair(keys(newKey), keys(newKey))
			of := handed
			if x.of != nil {
				x.of(&of)
			}
			p := presented{proof: sign(t, from, of), sip: callID, clock: clock}
			if x.then != nil {
				x.then(&p)
			}
			if _, err := to.Verify(p.proof, p.sip); !errors.Is(err, x.want) {
				t.Errorf("%v, want %v", err, x.want)
			}
		})
	}
	from, to, _ := pair(keys(oldKey), keys(newKey))
	if _, err := to.Verify(sign(t, from, handed), callID); !errors.Is(err, ErrUnknownKey) {
		t.Error(err)
	}
}

// unsigned is a token with the algorithm "none".
func unsigned(now time.Time) string {
	token := jwt.NewWithClaims(jwt.SigningMethodNone, claims{RegisteredClaims: jwt.RegisteredClaims{Issuer: "west/a", Subject: "p1", ID: "x",
		Audience: jwt.ClaimStrings{"east/b"}, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime))}, SIP: digest(callID)})
	text, _ := token.SignedString(jwt.UnsafeAllowNoneSignatureType)
	return text
}

// flip changes the character at i into another of the alphabet.
func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

// Whatever single character is changed, the proof is refused.
func TestAnyChangeIsRefused(t *testing.T) {
	from, to, _ := pair(keys(newKey), keys(newKey))
	proof := sign(t, from, handed)
	for i := range proof {
		if _, err := to.Verify(flip(proof, i), callID); err == nil {
			t.Errorf("accepted with another character at %d", i)
		}
	}
	if _, err := to.Verify(proof, callID); err != nil {
		t.Error(err)
	}
}

// The memory is bounded: what does not fit is refused, until earlier ones are over.
func TestMemoryIsBounded(t *testing.T) {
	u, now := newUsed(), time.Unix(0, 0)
	for i := range maxUsed {
		if err := u.take(fmt.Sprint(i), now.Add(time.Minute), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.take("more", now.Add(time.Minute), now); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	now = now.Add(2 * time.Minute)
	if err := u.take("more", now.Add(time.Minute), now); err != nil || len(u.until) != 1 {
		t.Errorf("%v, %d remembered", err, len(u.until))
	}
}

func FuzzVerify(f *testing.F) {
	from, to, clock := pair(keys(newKey), keys(newKey))
	f.Add(sign(f, from, handed))
	f.Add(unsigned(clock.Now()))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, proof string) {
		h, err := to.Verify(proof, callID)
		if err == nil && h != handed {
			t.Errorf("forged %+v", h)
		}
	})
}
