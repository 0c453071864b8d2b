package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// problem is an error that the caller is told (RFC 9457).
func problem(status int, format string, args ...any) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// ErrNotNow: the cluster is not in a state in which this can be done.
var ErrNotNow = errors.New("this cannot be done now")

// statuses says which error is which status; the first that fits counts.
func statuses() []struct {
	err    error
	status int
} {
	return []struct {
		err    error
		status int
	}{
		{store.ErrNotFound, http.StatusNotFound},
		{store.ErrConflict, http.StatusConflict},
		{store.ErrInUse, http.StatusConflict},
		{store.ErrClosed, http.StatusConflict},
		{store.ErrVersion, http.StatusPreconditionFailed},
		{store.ErrInsufficientFunds, http.StatusPaymentRequired},
		{store.ErrInvalid, http.StatusUnprocessableEntity},
		{store.ErrNoFreeCode, http.StatusConflict},
		{billing.ErrEntry, http.StatusUnprocessableEntity},
		{roster.ErrEnded, http.StatusConflict},
		{roster.ErrNotIn, http.StatusConflict},
		{roster.ErrForbidden, http.StatusForbidden},
		{conference.ErrNoSuch, http.StatusConflict},
		{roster.ErrNoRecording, http.StatusConflict},
		{conference.ErrNoRecorder, http.StatusConflict},
		{recording.ErrNoOpus, http.StatusConflict},
		{ErrNotNow, http.StatusConflict},
		{rpc.ErrUnreachable, http.StatusServiceUnavailable},
		{raftgroup.ErrNoQuorum, http.StatusServiceUnavailable},
	}
}

// asProblem turns an error of a handler into what the caller is told. An error that is
// none of the caller's business is internal; it returns true for it.
func asProblem(err error) (p huma.StatusError, internal bool) {
	if errors.As(err, &p) {
		return p, false
	}
	for _, known := range statuses() {
		if errors.Is(err, known.err) {
			return problem(known.status, "%s%s", err, fix(err)), false
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return problem(http.StatusGatewayTimeout, "it took too long; try again, with a smaller limit if it is a list"), true
	}
	return problem(http.StatusInternalServerError, "internal error; the server's log has more under this time"), true
}

// asReference is err for a request whose body refers to what is not there: the path
// is right, so it is not 404.
func asReference(err error, what string) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem(http.StatusUnprocessableEntity, "%s: there is none; a list shows what there is", what)
	}
	return err
}

// fix adds what to do where the error does not say so itself.
func fix(err error) string {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "; check the id, a list shows what there is"
	case errors.Is(err, store.ErrVersion):
		return "; read it again and repeat the change with its new version"
	case errors.Is(err, roster.ErrNotIn):
		return "; a list of the conference's participants shows who is"
	case errors.Is(err, roster.ErrEnded), errors.Is(err, store.ErrClosed):
		return "; nothing was changed"
	case errors.Is(err, roster.ErrNoRecording):
		return "; set its recording to on-demand or always, for its next conference"
	case errors.Is(err, conference.ErrNoSuch):
		return "; it has just ended or moved: read it again"
	case errors.Is(err, store.ErrNoFreeCode):
		return "; ask for longer codes with codeDigits"
	}
	return ""
}

// writeProblem answers outside of an operation.
func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller has gone: nobody is left to tell
}
