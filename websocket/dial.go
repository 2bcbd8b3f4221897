package websocket

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/handshake"
)

// Dial opens a connection to a ws or wss URL (http and https mean the same).
// opts may be nil. ctx bounds the handshake only.
//
// Redirects are followed only if opts.RedirectsMax says so; one that is not is a *RedirectError
// within the *HandshakeError. The response is returned also with an error, if there
// was one; its body holds what of it was read, at most the limit of
// Limits.ResponseBytes together with its head, and need not be closed. A wrong
// handshake is a *HandshakeError.
func Dial(ctx context.Context, url string, opts *DialOptions) (*Conn, *http.Response, error) {
	if opts == nil {
		opts = new(DialOptions)
	}
	return hop{url, opts}.dial(ctx)
}

// dialOnce opens a connection to the server that the URL names.
func dialOnce(ctx context.Context, url string, opts *DialOptions) (*Conn, *http.Response, error) {
	var nonce [16]byte
	rand.Read(nonce[:])
	d, err := newDialer(ctx, url, opts, handshake.Key(nonce))
	if err != nil {
		return nil, nil, err
	}
	line, err := d.connect(ctx)
	if err != nil {
		return nil, nil, &HandshakeError{Reason: "connecting to " + d.request.URL.Host, Err: err}
	}
	// The handshake ends with the context, whatever it waits for.
	stop := context.AfterFunc(ctx, func() { line.SetDeadline(longAgo) })
	conn, response, err := d.open(line)
	if !stop() && err == nil {
		err = &HandshakeError{Reason: "waiting for the answer", Err: context.Cause(ctx)}
	}
	if err != nil {
		line.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = &HandshakeError{Reason: "waiting for the answer", Err: cause}
		}
		return nil, response, err
	}
	return conn, response, nil
}

// dialer is one handshake of a client.
type dialer struct {
	opts    *DialOptions
	request *http.Request
	offer   handshake.Offer
	params  deflate.Params
}

// newDialer makes the request of a handshake: one that upgrades a connection, or without a key one for a stream of HTTP/2.
func newDialer(ctx context.Context, rawURL string, opts *DialOptions, key string) (*dialer, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	d := &dialer{opts: opts}
	d.offer = handshake.Offer{Key: key, Subprotocols: opts.Subprotocols}
	if opts.Compression != CompressionOff {
		d.params = deflate.Offer(opts.Compression.mode())
		d.offer.Extension = d.params.String()
	}
	if !d.offer.Valid() {
		return nil, &HandshakeError{Reason: "subprotocols must be unique tokens"}
	}
	d.request = (&http.Request{
		Method: http.MethodGet,
		URL:    u,
		Host:   opts.Host,
		Header: opts.Header.Clone(),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if d.request.Header == nil {
		d.request.Header = http.Header{}
	}
	d.setUser()
	d.offer.SetHeader(d.request.Header)
	return d, nil
}

// setUser sends a name and password of the URL, unless the caller has set the field.
func (d *dialer) setUser() {
	user := d.request.URL.User
	if user == nil || d.request.Header.Get("Authorization") != "" {
		return
	}
	password, _ := user.Password()
	d.request.SetBasicAuth(user.Username(), password)
}

// connect opens the line, through a proxy if there is one, and TLS on it for https.
func (d *dialer) connect(ctx context.Context) (net.Conn, error) {
	line, err := d.reach(ctx)
	if err != nil || d.request.URL.Scheme == "http" {
		return line, err
	}
	return d.secure(ctx, line, d.request.URL.Hostname())
}

// reach opens a line to the URL's host.
func (d *dialer) reach(ctx context.Context) (net.Conn, error) {
	target := hostPort(d.request.URL)
	if d.opts.Proxy == nil {
		return d.dial(ctx, target)
	}
	via, err := d.opts.Proxy(d.request)
	switch {
	case err != nil:
		return nil, err
	case via == nil:
		return d.dial(ctx, target)
	}
	return d.throughProxy(ctx, via, target)
}

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	if d.opts.DialContext != nil {
		return d.opts.DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// secure performs the TLS handshake as a client of host. It closes the line if
// that fails.
func (d *dialer) secure(ctx context.Context, line net.Conn, host string) (net.Conn, error) {
	config := d.opts.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.ServerName = cmp.Or(config.ServerName, host)
	config.NextProtos = []string{"http/1.1"}
	secure := tls.Client(line, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		line.Close()
		return nil, err
	}
	return secure, nil
}

// hostPort returns where a URL leads, with the default port of its scheme.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// open performs the handshake on the line.
func (d *dialer) open(line net.Conn) (*Conn, *http.Response, error) {
	var head bytes.Buffer
	if err := d.request.Write(&head); err != nil {
		return nil, nil, &HandshakeError{Reason: "writing the request", Err: err}
	}
	if _, err := line.Write(head.Bytes()); err != nil {
		return nil, nil, &HandshakeError{Reason: "writing the request", Err: err}
	}
	limited := &io.LimitedReader{R: line, N: int64(cmp.Or(d.opts.Limits.ResponseBytes, responseBytesDefault))}
	reader := bufio.NewReader(limited)
	response, err := http.ReadResponse(reader, d.request)
	if err != nil {
		if limited.N <= 0 {
			err = errAnswerSize
		}
		return nil, nil, &HandshakeError{Reason: "reading the answer", Err: err}
	}
	conn, err := d.agree(line, response, func() []byte {
		first, _ := reader.Peek(reader.Buffered())
		return bytes.Clone(first)
	})
	return conn, response, err
}

// agree checks the answer, and makes a connection of the line. first returns what came after the answer.
func (d *dialer) agree(line net.Conn, response *http.Response, first func() []byte) (*Conn, error) {
	answer, refusal := d.offer.Check(response.StatusCode, response.Header)
	if refusal != nil {
		line.SetReadDeadline(time.Now().Add(refusalTimeout))
		keepBody(response)
		return nil, &HandshakeError{Status: response.StatusCode, Reason: refusal.Reason}
	}
	response.Body = http.NoBody
	agreed, compressed, err := deflate.Agree(answer.Extensions, d.params)
	if err != nil {
		return nil, &HandshakeError{Status: response.StatusCode, Reason: "the answer's compression", Err: err}
	}
	options := connOptions{
		config:       d.opts.config(),
		subprotocol:  answer.Subprotocol,
		client:       true,
		writeTimeout: cmp.Or(d.opts.WriteTimeout, writeTimeoutDefault),
		first:        first(),
	}
	if compressed {
		options.agreed = deflate.New(agreed, false, compressors)
	}
	return newConn(line, options), nil
}

// errAnswerSize is an answer beyond Limits.ResponseBytes.
var errAnswerSize = errors.New("the answer is too large")

// refusalTimeout bounds the wait for the body of a refusal.
const refusalTimeout = time.Second

// keepBody reads the body of a refusal as far as the limit goes, since the line
// is closed when Dial returns.
func keepBody(response *http.Response) {
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
}

func (o *DialOptions) config() *endpoint.Config {
	config := o.Limits.config()
	config.Side = frame.Client
	config.MaskKey = maskKey
	config.CompressBytesMin = o.CompressionThreshold
	config.PingInterval = o.PingInterval
	config.PongTimeout = o.PongTimeout
	config.CloseTimeout = o.CloseTimeout
	config = config.Defaults()
	return &config
}

// entropy is a piece of cryptographic randomness that masks are cut from.
type entropy struct {
	bytes [256]byte
	used  int
}

var entropies = sync.Pool{New: func() any { return &entropy{used: 256} }}

// maskKey returns an unpredictable key (RFC 6455 5.3, 10.3).
func maskKey() uint32 {
	e := entropies.Get().(*entropy)
	defer entropies.Put(e)
	if e.used == len(e.bytes) {
		rand.Read(e.bytes[:])
		e.used = 0
	}
	key := binary.LittleEndian.Uint32(e.bytes[e.used:])
	e.used += 4
	return key
}
