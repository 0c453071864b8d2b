package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Client steers a lab that another program serves.
type Client struct {
	state State
	web   *http.Client
}

// NewClient finds the lab of a directory.
func NewClient(dir string) (*Client, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no lab runs in %s: start one there first", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the lab: %w", err)
	}
	c := &Client{}
	if err := json.Unmarshal(text, &c.state); err != nil {
		return nil, fmt.Errorf("find the lab: %s: %w", filepath.Join(dir, stateFile), err)
	}
	c.web = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.state.Socket)
	}}}
	return c, nil
}

// State says where the lab is.
func (c *Client) State() State { return c.state }

// Status says how the lab is now.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.do(ctx, http.MethodGet, "/status", nil, &s)
	return s, err
}

// Cut cuts a link: all of it or one class, both directions or one.
func (c *Client) Cut(ctx context.Context, l LinkChange) error { return c.post(ctx, "/cut", l, nil) }

// Heal takes a cut back; without a class those of single classes too.
func (c *Client) Heal(ctx context.Context, l LinkChange) error { return c.post(ctx, "/heal", l, nil) }

// Impair sets what a link does to packets.
func (c *Client) Impair(ctx context.Context, l LinkChange) error {
	return c.post(ctx, "/impair", l, nil)
}

// Clear makes a link perfect again.
func (c *Client) Clear(ctx context.Context, l LinkChange) error { return c.post(ctx, "/clear", l, nil) }

// Node does something to a node.
func (c *Client) Node(ctx context.Context, node string, a Action) error {
	return c.post(ctx, "/nodes", nodeChange{node, a}, nil)
}

// Call has a caller of the lab call, and returns what it heard once it has hung up.
func (c *Client) Call(ctx context.Context, r CallRequest) (report CallReport, err error) {
	err = c.post(ctx, "/calls", r, &report)
	return report, err
}

// Calls are those that go on.
func (c *Client) Calls(ctx context.Context) (calls []CallStatus, err error) {
	err = c.do(ctx, http.MethodGet, "/calls", nil, &calls)
	return calls, err
}

// HangUp has a call end, whose Call then returns.
func (c *Client) HangUp(ctx context.Context, id string) error {
	return c.post(ctx, "/calls/end", callChange{id}, nil)
}

// Down ends the lab: its Serve returns.
func (c *Client) Down(ctx context.Context) error { return c.post(ctx, "/down", none{}, nil) }

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("tell the lab: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, text, out)
}

func (c *Client) do(ctx context.Context, method, path string, in []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, bytes.NewReader(in))
	if err != nil {
		return fmt.Errorf("tell the lab: %w", err)
	}
	res, err := c.web.Do(r)
	if err != nil {
		return fmt.Errorf("tell the lab %s (is the program that runs it, process %d, still there?): %w", c.state.ID, c.state.PID, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("tell the lab: %w", err)
	case res.StatusCode != http.StatusOK:
		return errors.New(strings.TrimSpace(string(body)))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the lab's answer: %w", err)
	}
	return nil
}
