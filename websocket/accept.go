package websocket

import (
	"bytes"
	"cmp"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/handshake"
)

// Accept answers an opening handshake and takes the connection over from the
// HTTP server. opts may be nil.
//
// When it fails it has written the HTTP error itself, and the HTTP connection is
// closed after it, since a client that believed in the upgrade would go on with
// frames. The error is a *HandshakeError.
//
// Over HTTP/1.1 the handler may return while the connection lives on: then the
// memory of the HTTP server's own goroutine is saved. r.Context() ends when it returns.
//
// An extended CONNECT of HTTP/2 (RFC 8441) is accepted too, where the server of
// net/http offers it; see docs/websocket/HTTP2.md. The connection is one stream then, and
// the handler must stay until the connection is closed by Close or CloseNow, which wait
// for what other goroutines are writing.
func Accept(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) (*Conn, error) {
	u, err := Upgrade(w, r, opts)
	if err != nil {
		return nil, err
	}
	return u.conn(), nil
}

func (u *Upgraded) conn() *Conn {
	return newConn(u.Line, connOptions{
		config:       u.Config,
		agreed:       u.Deflate,
		subprotocol:  u.Subprotocol,
		writeTimeout: u.WriteTimeout,
		first:        u.First,
	})
}

// request is what the policy looks at.
func request(r *http.Request) handshake.Request {
	return handshake.Request{
		Method:           r.Method,
		Protocol:         r.Header.Get(":protocol"),
		Target:           r.RequestURI,
		ProtoMajor:       r.ProtoMajor,
		ProtoMinor:       r.ProtoMinor,
		Host:             r.Host,
		Secure:           r.TLS != nil,
		Header:           r.Header,
		ContentLength:    r.ContentLength,
		TransferEncoding: r.TransferEncoding,
	}
}

// refuse answers a request that is not accepted.
func refuse(w http.ResponseWriter, r *http.Request, refusal *handshake.Refusal, cause error) error {
	h := w.Header()
	if r.ProtoMajor == 1 {
		h.Set("Connection", "close")
	} else {
		h.Set("Sec-WebSocket-Version", "13") // there is no status for a wrong version
	}
	switch refusal.Status {
	case http.StatusUpgradeRequired:
		// RFC 6455 4.4: the versions spoken here. RFC 9110 15.5.22: 426 needs Upgrade.
		h.Set("Sec-WebSocket-Version", "13")
		h.Set("Upgrade", "websocket")
		// Two fields, since net/http closes the connection only when the first is close alone.
		h["Connection"] = []string{"close", "Upgrade"}
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	}
	http.Error(w, refusal.Reason, refusal.Status)
	return &HandshakeError{Status: refusal.Status, Reason: refusal.Reason, Err: cause}
}

// hijack takes the line over and writes the 101 response. What the client has
// sent after its request is returned.
func hijack(w http.ResponseWriter, r *http.Request, response []byte, timeout time.Duration) (net.Conn, []byte, error) {
	line, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		if errors.Is(err, http.ErrNotSupported) {
			refusal := &handshake.Refusal{Status: http.StatusInternalServerError, Reason: "the connection cannot be upgraded"}
			return nil, nil, refuse(w, r, refusal, err)
		}
		return nil, nil, &HandshakeError{Reason: "taking the connection over", Err: err}
	}
	line.SetDeadline(time.Time{})
	if timeout > 0 {
		line.SetWriteDeadline(time.Now().Add(timeout))
	}
	if _, err := line.Write(response); err != nil {
		line.Close()
		return nil, nil, &HandshakeError{Reason: "writing the response", Err: err}
	}
	line.SetWriteDeadline(time.Time{})
	first, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	return line, bytes.Clone(first), nil
}

func (m CompressionMode) mode() deflate.Mode {
	switch m {
	case CompressionNoContextTakeover:
		return deflate.NoContextTakeover
	case CompressionContextTakeover:
		return deflate.ContextTakeover
	}
	return deflate.Off
}

// The defaults of limits that concern the handshake and the line.
const (
	headBytesDefault     = 16 << 10
	lineBytesDefault     = 8 << 10
	fieldsDefault        = 64
	cookiesDefault       = 32
	subprotocolsDefault  = 8
	extensionsDefault    = 8
	offerBytesDefault    = 512
	responseBytesDefault = 16 << 10
	writeTimeoutDefault  = 5 * time.Second
)

func (l Limits) policy() handshake.Policy {
	return handshake.Policy{
		HeadBytesMax:    cmp.Or(l.HeadBytes, headBytesDefault),
		LineBytesMax:    cmp.Or(l.LineBytes, lineBytesDefault),
		FieldsMax:       cmp.Or(l.Fields, fieldsDefault),
		CookiesMax:      cmp.Or(l.Cookies, cookiesDefault),
		SubprotocolsMax: cmp.Or(l.Subprotocols, subprotocolsDefault),
		ExtensionsMax:   cmp.Or(l.Extensions, extensionsDefault),
		OfferBytesMax:   cmp.Or(l.OfferBytes, offerBytesDefault),
	}
}

// config makes the limits those of an endpoint.
func (l Limits) config() endpoint.Config {
	return endpoint.Config{
		MessageBytesMax: l.MessageBytes,
		FragmentsMax:    l.Fragments,
		ControlBurst:    l.ControlBurst,
		ControlPerSec:   l.ControlPerSecond,
	}
}

// configKey is all that the configuration of a server's endpoints is made of.
type configKey struct {
	limits            Limits
	compressBytesMin  int
	ping, pong, close time.Duration
}

// configured is the configuration asked for last. A program has one, or few: its
// connections share it, which saves 80 bytes of each.
var configured atomic.Pointer[configuration]

type configuration struct {
	key    configKey
	config endpoint.Config
}

// config returns a configuration, which nobody may change.
func (o *AcceptOptions) config() *endpoint.Config {
	key := configKey{o.Limits, o.CompressionThreshold, o.PingInterval, o.PongTimeout, o.CloseTimeout}
	last := configured.Load()
	if last != nil && last.key == key {
		return &last.config
	}
	config := o.Limits.config()
	config.Side = frame.Server
	config.CompressBytesMin = o.CompressionThreshold
	config.PingInterval = o.PingInterval
	config.PongTimeout = o.PongTimeout
	config.CloseTimeout = o.CloseTimeout
	next := &configuration{key, config.Defaults()}
	configured.Store(next)
	return &next.config
}
