package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
)

// Client asks one node. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New makes a client for the node at address, such as http://127.0.0.1:8080. The token
// may be empty where the node asks for none.
func New(address, token string) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("the address %q of the API: write http://HOST:PORT or https://HOST:PORT", address)
	}
	return &Client{base: base, token: token, http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this node
	}}}, nil
}

// Error is an answer that is not a success.
type Error struct {
	Status int
	Detail string
}

func (e *Error) Error() string { return e.Detail }

// IsNotFound says whether what was asked for is not there.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// answerTime is how long an answer other than a stream may take.
const answerTime = time.Minute

// Get reads one thing. The path is below /api/v1; its parts are escaped with Path.
func Get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	err := c.exchange(ctx, http.MethodGet, path, query, nil, &out)
	return out, err
}

// Send changes something, and reads the answer into out if that is not nil. A body of
// nil sends none.
func Send(ctx context.Context, c *Client, method, path string, body, out any) error {
	return c.exchange(ctx, method, path, nil, body, out)
}

// List reads a list to its end, page by page.
func List[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		for {
			page, err := Get[v1.Page[T]](ctx, c, path, q)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.Set("after", page.Next)
		}
	}
}

// Stream copies an answer, as it comes, to w. An answer that breaks off is an error.
func (c *Client) Stream(ctx context.Context, path string, query url.Values, w io.Writer) error {
	res, err := c.do(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, method, path string, query url.Values, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	res, err := c.do(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	return nil
}

// do sends a request; an answer that is not a success becomes an Error.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	target := strings.TrimSuffix(c.base.String(), "/") + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write the request %s %s: %w", method, path, err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, fmt.Errorf("write the request %s %s: %w", method, path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("no node answers at %s: start one with node dev, or say where it is with --api", c.base.Host)
		}
		return nil, fmt.Errorf("ask the node at %s: %w", c.base.Host, err)
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, failure(res)
}

// maxProblem is how much of an error's body is read.
const maxProblem = 64 << 10

// failure reads problem details (RFC 9457), or what there is instead of them.
func failure(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem)) // what could be read is told
	var p struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		return &Error{Status: res.StatusCode, Detail: "the answer was " + strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode)}
	}
	for _, e := range p.Errors {
		p.Detail += "\n  " + strings.TrimPrefix(strings.TrimPrefix(e.Location, "body."), "query.") + ": " + e.Message
	}
	return &Error{Status: res.StatusCode, Detail: p.Detail}
}

// Path joins parts of a path, each escaped.
func Path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
