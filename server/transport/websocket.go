package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/server/failure"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/handshake"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// Protocol is one subprotocol that lines may speak.
type Protocol struct {
	Subprotocol string
	Session     session.Protocol
}

// Config is what the WebSocket transport needs. Protocols and Node have no default.
type Config struct {
	Node      *node.Node
	Protocols []Protocol // the first is spoken where none is offered (CON-1)
	Admission *Admission
	Failures  *failure.Counter // of tokens, by address (AU-19)
	Proxies   *Proxies
	Logger    *slog.Logger
	Metrics   Metrics

	OriginPatterns  []string
	HeadBytesMax    int // of a request
	LineBytesMax    int // of its URL and of one header line
	FieldsMax       int // header lines
	CookiesMax      int
	MessageBytesMax int
	FragmentsMax    int
	FrameBytesMax   int
	HeadTimeout     time.Duration // for a request's head to come, where no HTTP server waits for it
	Ping, Pong      time.Duration
	WriteTimeout    time.Duration
	CloseTimeout    time.Duration
}

// Metrics counts what only the transport sees. Its methods are called concurrently and must be quick.
type Metrics interface {
	Received(bytes int)
	Refused(status int)
	Panicked(task string)
}

// WebSocket serves /ws.
type WebSocket struct {
	config  Config
	options map[string]*websocket.AcceptOptions // by subprotocol, "" for none; immutable
	reactor *reactor.Reactor                    // nil: the system has none
	group   safego.Group

	carriersMu sync.Mutex
	// Guarded by carriersMu.
	carriers map[*reactor.Loop]*carrier
}

// NewWebSocket returns the handler. The error is that of an origin pattern.
func NewWebSocket(config Config) (*WebSocket, error) {
	if _, err := handshake.ParseOrigins(config.OriginPatterns); err != nil {
		return nil, err
	}
	t := &WebSocket{config: config, carriers: make(map[*reactor.Loop]*carrier)}
	t.group.Logger = config.Logger
	t.group.OnPanic = config.Metrics.Panicked
	t.options = map[string]*websocket.AcceptOptions{"": t.newAcceptOptions("")}
	for _, protocol := range config.Protocols {
		t.options[protocol.Subprotocol] = t.newAcceptOptions(protocol.Subprotocol)
	}
	var err error
	t.reactor, err = t.newReactor()
	return t, err
}

// Wait returns when no line is left, or when ctx ends, and ends the loops. The node has closed the lines before.
func (t *WebSocket) Wait(ctx context.Context) error {
	var err error
	if t.reactor != nil {
		err = t.reactor.Shutdown(ctx, websocket.StatusGoingAway, "")
	}
	return errors.Join(err, t.group.Wait(ctx))
}

// ServeHTTP upgrades a request and hands the line to the node.
func (t *WebSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.serve(w, r, ownSlot(r)) }

// serve is ServeHTTP for a request whose connection has a place of its own, or nil. It reports whether the node has the line;
// the place is then the line's.
func (t *WebSocket) serve(w http.ResponseWriter, r *http.Request, own *Slot) bool {
	client := t.config.Proxies.ClientAddr(r)
	if wait, blocked := t.config.Failures.Blocked(client); blocked {
		setRetryAfter(w, wait)
		t.refuse(w, r, http.StatusTooManyRequests, "too many invalid tokens came from this address; wait a minute")
		return false
	}
	protocol, hello, refusal := t.read(r, client)
	if refusal != "" {
		t.refuse(w, r, http.StatusBadRequest, refusal)
		return false
	}
	a := &admittance{ResponseWriter: w, transport: t, request: r, protocol: protocol, hello: hello, own: own}
	if err := t.upgrade(a, r, t.acceptOptions(r, protocol)); err != nil {
		a.giveUp(err)
		return false
	}
	return true
}

// upgrade has the reactor serve the line, or a goroutine where it cannot: a line in TLS has no socket of its own.
func (t *WebSocket) upgrade(a *admittance, r *http.Request, options *websocket.AcceptOptions) error {
	if r.ProtoMajor == 2 {
		return t.serveStream(a, r, options)
	}
	if t.reactor != nil && r.TLS == nil {
		a.onReactor = true
		return t.reactor.Upgrade(a, r, options, a)
	}
	conn, err := websocket.Accept(a, r, options)
	if err == nil {
		a.line.open(conn)
		t.begin(conn, a.connection, a.line.slot, nil)
	}
	return err
}

// serveStream serves a line that is a stream of HTTP/2 (RFC 8441), which lasts as long as the handler.
func (t *WebSocket) serveStream(a *admittance, r *http.Request, shared *websocket.AcceptOptions) error {
	options := *shared
	options.Admit = a.admit
	conn, err := websocket.Accept(a.ResponseWriter, r, &options)
	if err != nil {
		return err
	}
	t.config.Logger.Debug("a line on a stream of HTTP/2")
	a.line.open(conn)
	ended := make(chan struct{})
	t.begin(conn, a.connection, a.line.slot, func() { close(ended) })
	<-ended
	return nil
}

// begin reads on a goroutine of its own, which holds nothing of the request. ended is called when it is over; nil is allowed.
func (t *WebSocket) begin(conn *websocket.Conn, connection *node.Connection, slot *Slot, ended func()) {
	t.group.Go("websocket", func() { t.serveLine(conn, connection) }, func() {
		if ended != nil {
			defer ended()
		}
		slot.Release()
		_ = conn.CloseNow()
		connection.Closed(nil) // does nothing unless serve panicked
	})
}

var errEnding = errors.New("the node ends the line")

// serveLine reads until the line ends.
func (t *WebSocket) serveLine(conn *websocket.Conn, connection *node.Connection) {
	err := conn.Serve(context.Background(), func(_ *websocket.Turn, kind websocket.MessageType, message []byte) error {
		t.config.Metrics.Received(len(message))
		if connection.Receive(message, kind == websocket.BinaryMessage) != nil {
			return errEnding
		}
		return nil
	})
	if errors.Is(err, errEnding) {
		t.drainLine(conn)
	}
	connection.Closed(causeOf(err))
}

// drainLine reads on while the line is being closed, so that the peer's half of the close handshake is seen and its last
// bytes do not reset the connection under our Close frame.
func (t *WebSocket) drainLine(conn *websocket.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), t.config.CloseTimeout+t.config.WriteTimeout)
	defer cancel()
	_ = conn.Serve(ctx, func(*websocket.Turn, websocket.MessageType, []byte) error { return nil })
}

// causeOf is nil when the peer closed properly, or when this side did, and has the code where there is one.
func causeOf(err error) error {
	switch {
	case errors.Is(err, errEnding), errors.Is(err, websocket.ErrClosed):
		return nil
	case errors.Is(err, endpoint.ErrSilent):
		return realtime.NewError(realtime.CodeNoPong, "") // LIV-1
	}
	switch status := websocket.CloseStatus(err); {
	case status == 0 || status == websocket.StatusAbnormalClosure:
		return err
	case status == websocket.StatusNormalClosure, status == websocket.StatusGoingAway, status == websocket.StatusNoStatusReceived:
		return nil
	case status >= 3000:
		return nil // the peer's own word; it must not count as one of ours
	default:
		return realtime.NewError(realtime.Code(status), err.Error())
	}
}

// messageType is that of a protocol's messages.
func messageType(framing hub.Framing) websocket.MessageType {
	if framing == hub.FramingBinary {
		return websocket.BinaryMessage
	}
	return websocket.TextMessage
}

// refuse answers a request that is not upgraded, and closes the connection: whoever believes in the upgrade would go on
// with frames (VC-22).
func (t *WebSocket) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	t.config.Metrics.Refused(status)
	closeAfter(w, r)
	http.Error(w, reason, status)
}

// closeAfter ends a connection of HTTP/1.1 after its answer. One of HTTP/2 has other streams, and a refused one ends alone.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}
