package rpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/cluster/certs"
)

const (
	// pingAfter is how long a connection is silent before HTTP/2 asks whether it
	// still is one, and pingTime how long it waits: calls that were sent into a cut
	// must not make those after it wait for TCP.
	pingAfter = time.Second
	pingTime  = 5 * time.Second // a busy machine is not a cut
	dialTime  = 2 * time.Second
)

// Addresses say where a node takes calls of others, as HOST:PORT. It must not block.
type Addresses func(node certs.Identity) (addr string, known bool)

// Client asks other nodes. Make one with NewClient. It is safe for concurrent use.
type Client struct {
	self      certs.Identity
	addresses Addresses
	codes     Codes
	http      *http.Client
	transport *http.Transport
}

// NewClient makes a client of the bundle's node. dialer may have a local address.
func NewClient(bundle *certs.Bundle, addresses Addresses, codes Codes, dialer *net.Dialer) *Client {
	c := &Client{self: bundle.Identity(), addresses: addresses, codes: codes}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	c.transport = &http.Transport{
		Protocols: protocols, IdleConnTimeout: idleTime,
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime},
		DialTLSContext: func(ctx context.Context, _, host string) (net.Conn, error) {
			return c.dial(ctx, host, bundle, dialer)
		},
	}
	c.http = &http.Client{Transport: c.transport}
	return c
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// host is the node in a URL: connections are kept by it.
func host(node certs.Identity) string { return node.Node + "." + node.Site }

// dial connects to the node that a URL's host names.
func (c *Client) dial(ctx context.Context, hostPort string, bundle *certs.Bundle, dialer *net.Dialer) (net.Conn, error) {
	name, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	nodeName, site, _ := strings.Cut(name, ".")
	node := certs.Identity{Cluster: c.self.Cluster, Site: site, Node: nodeName}
	addr, known := c.addresses(node)
	if !known {
		return nil, fmt.Errorf("no address of %s is known", node)
	}
	config := bundle.ClientTLS(certs.Only(node))
	config.NextProtos = []string{"h2"}
	config.ServerName = name
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", addr)
}

// Ping asks a node for a sign of life.
func (c *Client) Ping(ctx context.Context, node certs.Identity) error {
	_, err := c.do(ctx, node, pingPath, nil)
	return err
}

// Call asks a node to carry out a method. An error that is no *Error is
// [ErrUnreachable].
func Call[Req, Resp any](ctx context.Context, c *Client, node certs.Identity, method string, req Req) (Resp, error) {
	var resp Resp
	body, err := json.Marshal(req)
	if err != nil {
		return resp, fmt.Errorf("encoding the request %s: %w", method, err)
	}
	answer, err := c.do(ctx, node, prefix+method, body)
	if err != nil {
		return resp, fmt.Errorf("%s at %s/%s: %w", method, node.Site, node.Node, err)
	}
	if err := json.Unmarshal(answer, &resp); err != nil {
		return resp, fmt.Errorf("%s at %s/%s: reading the answer: %w: %w", method, node.Site, node.Node, ErrUnreachable, err)
	}
	return resp, nil
}

// do is one exchange.
func (c *Client) do(ctx context.Context, node certs.Identity, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, (&url.URL{Scheme: "https", Host: host(node), Path: path}).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// net/http would send it again by itself otherwise, if a connection breaks.
	r.GetBody = nil
	if deadline, ok := ctx.Deadline(); ok {
		r.Header.Set(timeoutHeader, strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10))
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(answer) > maxBody {
		err = fmt.Errorf("the answer has more than %d bytes", maxBody)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return answer, nil
	case http.StatusUnprocessableEntity:
		var f failure
		if err := json.Unmarshal(answer, &f); err == nil {
			return nil, c.codes.read(f)
		}
	}
	return nil, fmt.Errorf("%w: HTTP status %s", ErrUnreachable, resp.Status)
}

// unreachable wraps an error of the exchange, without the URL that net/http puts in
// front.
func unreachable(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}
