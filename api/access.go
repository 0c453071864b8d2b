package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
)

// caller is who asks.
type caller struct {
	name  string // of the token; written into histories, ledgers and logs
	role  store.TokenRole
	scope store.Scope
}

// by is the caller as conferences know it.
func (c caller) by() conference.By { return conference.By{API: c.name} }

// local is whoever uses an open API from this machine.
func local() caller { return caller{name: "local", role: store.TokenOperator} }

type callerKey struct{}

// callerOf is who asks. Outside of a request that was admitted it is nobody, who
// may see nothing.
func callerOf(ctx context.Context) caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok && c.role != "" {
		return *c
	}
	return caller{name: "nobody", scope: store.Scope{CustomerID: "nobody"}}
}

// admit lets a request through to its handler if who asks may use the operation.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	who, err := s.identify(ctx)
	if err != nil {
		p, internal := asProblem(err)
		if internal {
			s.logger.Error("token not checked", "error", err)
		}
		if p.GetStatus() == http.StatusUnauthorized {
			ctx.SetHeader("WWW-Authenticate", "Bearer") // RFC 6750, section 3
		}
		s.refuse(ctx, p)
		return
	}
	*ctx.Context().Value(callerKey{}).(*caller) = who // put there by audit
	needs, ok := ctx.Operation().Metadata[metaAccess].(access)
	if !ok || !needs.allows(who.role) {
		s.refuse(ctx, problem(http.StatusForbidden, "the token %q has the role %s. %s", who.name, who.role, needs.needs()))
		return
	}
	next(ctx)
}

func (s *server) refuse(ctx huma.Context, p huma.StatusError) {
	_ = huma.WriteErr(s.huma, ctx, p.GetStatus(), p.Error()) // the caller has gone: nobody is left to tell
}

// identify finds out who asks. A token always counts, so that what it may do can be
// tried on an open API too.
func (s *server) identify(ctx huma.Context) (caller, error) {
	if header := ctx.Header("Authorization"); header != "" {
		return s.bearer(ctx.Context(), header)
	}
	if !s.Open {
		return caller{}, problem(http.StatusUnauthorized, "a token is needed: send Authorization: Bearer SECRET; an operator makes tokens with: node tokens add")
	}
	if why := foreign(ctx); why != "" {
		return caller{}, problem(http.StatusUnauthorized, "without a token only programs on this machine may ask, and %s; send Authorization: Bearer SECRET", why)
	}
	return local(), nil
}

// bearer looks a token up (RFC 6750).
func (s *server) bearer(ctx context.Context, header string) (caller, error) {
	unknown := problem(http.StatusUnauthorized, "the token is unknown or has expired; an operator makes tokens with: node tokens add")
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || !plausible(strings.TrimSpace(secret)) {
		return caller{}, unknown
	}
	t, err := s.Store.TokenByHash(ctx, HashToken(strings.TrimSpace(secret)))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return caller{}, unknown
	case err != nil:
		return caller{}, err
	case !t.ExpiresAt.IsZero() && !s.Clock.Now().Before(t.ExpiresAt):
		return caller{}, unknown
	case t.Role != store.TokenOperator && t.CustomerID == "":
		return caller{}, unknown // it would see everything
	}
	return caller{name: t.Name, role: t.Role, scope: store.Scope{CustomerID: t.CustomerID}}, nil
}

// foreign says why a request did not come from a program on this machine, or nothing.
// A browser here may be made to send requests by any web page: it names the page in
// Origin, or a name of the page's in Host that was made to lead here (DNS rebinding).
func foreign(ctx huma.Context) string {
	if remote, err := netip.ParseAddrPort(ctx.RemoteAddr()); err != nil || !remote.Addr().Unmap().IsLoopback() {
		return "this request came from " + ctx.RemoteAddr()
	}
	if !loopbackHost(ctx.Host()) {
		return "this request was for the host " + ctx.Host()
	}
	if origin := ctx.Header("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != ctx.Host() {
			return "this request came from a web page of " + origin
		}
	}
	return ""
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// audit leaves a line of every request. It holds no body: those have codes and
// passwords in them.
func (s *server) audit(ctx huma.Context, next func(huma.Context)) {
	who := &caller{}
	next(huma.WithValue(ctx, callerKey{}, who))
	op, u := ctx.Operation(), ctx.URL()
	line := []any{"operation", op.OperationID, "path", u.Path, "who", who.name, "source", ctx.RemoteAddr(), "status", ctx.Status()}
	if op.Method == http.MethodGet {
		s.logger.Debug("request", line...)
		return
	}
	s.logger.Info("audit", line...)
}
