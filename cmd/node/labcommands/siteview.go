package labcommands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/netns"
)

// siteView is what a site's API tells.
type siteView struct {
	Site        string       `json:"site"`
	Asked       string       `json:"asked,omitempty"` // the node; empty: none was ready
	Error       string       `json:"error,omitempty"` // why something is missing
	Verdicts    []v1.Site    `json:"verdicts"`        // on the other sites
	Conferences []conference `json:"conferences"`     // that go on
}

// conference is one that a site knows of.
type conference struct {
	v1.ConferenceState
	Error string `json:"error,omitempty"` // why it is not known who is in
}

// askTime bounds the questions to one site: a view is of now, or it says what is missing.
const askTime = 2 * time.Second

// ask asks the first ready node of a site, from where the site's callers live, so that no
// cut is in the way.
func ask(ctx context.Context, s lab.Status, site, token string) siteView {
	v := siteView{Site: site, Verdicts: []v1.Site{}, Conferences: []conference{}}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var node lab.Node
	for _, n := range s.Nodes {
		if n.Site == site && n.Ready && node.Name == "" {
			node = n.Node
		}
	}
	if node.Name == "" {
		v.Error = "no node is ready"
		return v
	}
	v.Asked = node.Name
	place, err := netns.Find(s.CallersNamespace(site))
	if err == nil {
		a := api{base: "http://" + node.At(lab.HTTPPort).String() + "/api/v1", token: token,
			web: &http.Client{Transport: &http.Transport{DialContext: place.DialContext, DisableKeepAlives: true}}}
		err = v.read(ctx, a)
	}
	v.Error = reason(err)
	return v
}

// reason is an error in one line, which is empty for none.
func reason(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", askTime)
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

// read asks what the site thinks of the others, and who is in which conference.
func (v *siteView) read(ctx context.Context, a api) error {
	var verdicts []v1.Site
	if err := a.get(ctx, client.Path("sites"), &verdicts); err != nil {
		return err
	}
	for _, s := range verdicts {
		if !s.Own {
			v.Verdicts = append(v.Verdicts, s)
		}
	}
	var page v1.Page[v1.Conference]
	if err := a.get(ctx, client.Path("conferences"), &page); err != nil {
		return err
	}
	v.Conferences = make([]conference, len(page.Items))
	var group errgroup.Group // one whose focus is cut off is slow to answer
	for i, c := range page.Items {
		group.Go(func() error {
			state := v1.ConferenceState{Conference: c}
			err := a.get(ctx, client.Path("conferences", c.ID), &state)
			v.Conferences[i] = conference{state, reason(err)}
			return nil
		})
	}
	return group.Wait()
}

// api asks one node. It is not package client's, which has no way into a namespace.
type api struct {
	base, token string
	web         *http.Client
}

// maxAnswer is far more than an answer about a lab has, in octets.
const maxAnswer = 8 << 20

func (a api) get(ctx context.Context, path string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := a.web.Do(r)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the answer was %s: %s", res.Status, strings.TrimSpace(string(body)))
	}
	if err == nil {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	return nil
}
