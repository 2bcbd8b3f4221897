package http2

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/websocket"
)

// The errors of Dial, inside of a *websocket.HandshakeError, after which HTTP/1.1 may still work.
var (
	// ErrNoHTTP2 is a server that did not choose HTTP/2 in the TLS handshake.
	ErrNoHTTP2 = errors.New("the server does not speak HTTP/2")

	// ErrNotOffered is a server whose settings do not offer extended CONNECT (RFC 8441 3).
	ErrNotOffered = errors.New("the server does not offer WebSocket over HTTP/2")
)

// ErrClientClosed is the error of Dial after Close.
var ErrClientClosed = errors.New("the client is closed")

// streamsMaxDefault is also what RFC 9113 6.5.2 recommends servers to allow at least.
const streamsMaxDefault = 100

// Client opens connections on streams. The zero value works. It must not be copied.
type Client struct {
	// Immutable after the first Dial.

	// TLSConfig is used for wss; it is cloned. Default: verify by the system's roots.
	TLSConfig *tls.Config

	// DialContext opens lines; default a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// StreamsMax is how many streams share a connection, at most and if the server allows as
	// many; then another is opened. Default 100.
	StreamsMax int

	group safego.Group

	mu sync.Mutex
	// Guarded by mu.
	conns  map[string][]*carrier // those that live, by scheme and address
	closed bool
}

// Dial opens a connection to a ws or wss URL: over TLS for wss, and for ws with prior knowledge that
// the server speaks HTTP/2 (RFC 9113 3.3). ctx bounds the handshake only. The results are those of websocket.Dial.
// Of opts, DialContext, TLSConfig, Proxy and RedirectsMax must not be set.
func (c *Client) Dial(ctx context.Context, url string, opts *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	return websocket.DialStream(ctx, url, opts, c.open)
}

// Close ends all connections with their streams, at once, and waits for them.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	var all []*carrier
	for _, conns := range c.conns {
		all = append(all, conns...)
	}
	c.mu.Unlock()
	for _, conn := range all {
		conn.fail(net.ErrClosed)
	}
	return c.group.Wait(context.Background())
}

// open is a websocket.StreamOpener.
func (c *Client) open(request *http.Request) (*http.Response, net.Conn, error) {
	ctx := request.Context()
	conn, err := c.reserve(ctx, request.URL)
	if err != nil {
		return nil, nil, err
	}
	s, err := conn.open(request)
	if err != nil {
		return nil, nil, err
	}
	response, err := s.answer(ctx)
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return response, s, nil
}

// reserve finds a connection with room for a stream, or opens one.
func (c *Client) reserve(ctx context.Context, u *url.URL) (*carrier, error) {
	key := u.Scheme + "://" + address(u)
	c.mu.Lock()
	conns, closed := slices.Clone(c.conns[key]), c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClientClosed
	}
	for _, conn := range conns {
		if conn.reserve() {
			return conn, nil
		}
	}
	line, err := c.connect(ctx, u)
	if err != nil {
		return nil, err
	}
	conn := newCarrier(line, cmp.Or(c.StreamsMax, streamsMaxDefault))
	conn.ended = func() { c.forget(key, conn) }
	if !c.keep(key, conn) {
		line.Close()
		return nil, ErrClientClosed
	}
	if err := conn.begin(); err != nil {
		return nil, err
	}
	c.group.Go("connection of HTTP/2", conn.run, func() { conn.fail(net.ErrClosed) })
	return conn, conn.settle(ctx)
}

func (c *Client) keep(key string, conn *carrier) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.conns == nil {
		c.conns = make(map[string][]*carrier)
	}
	c.conns[key] = append(c.conns[key], conn)
	return true
}

func (c *Client) forget(key string, gone *carrier) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[key] = slices.DeleteFunc(c.conns[key], func(conn *carrier) bool { return conn == gone })
	if len(c.conns[key]) == 0 {
		delete(c.conns, key)
	}
}

// connect opens a line, and TLS on it for https.
func (c *Client) connect(ctx context.Context, u *url.URL) (net.Conn, error) {
	dial := c.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	line, err := dial(ctx, "tcp", address(u))
	if err != nil || u.Scheme == "http" {
		return line, err
	}
	config := c.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.ServerName = cmp.Or(config.ServerName, u.Hostname())
	config.NextProtos = []string{"h2", "http/1.1"} // a server without the first would answer with an alert that cannot be told apart
	secure := tls.Client(line, config)
	err = secure.HandshakeContext(ctx)
	if err == nil && secure.ConnectionState().NegotiatedProtocol != "h2" {
		err = ErrNoHTTP2
	}
	if err != nil {
		line.Close()
		return nil, err
	}
	return secure, nil
}

// address returns where a URL leads, with the default port of its scheme.
func address(u *url.URL) string {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}
