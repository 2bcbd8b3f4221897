package interop

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// line is our end of a connection.
type line interface {
	Write(ctx context.Context, kind websocket.MessageType, message []byte) error
	Read(ctx context.Context) (websocket.MessageType, []byte, error)
	Close(code websocket.StatusCode, reason string) error
}

// A role is how our end comes about. The peer has the other one.
type role struct {
	name string
	open func(t *testing.T, p peer, m mode, w *witness) (line, opening)
}

var (
	roles = []role{{"client", openClient}, {"server", openServer}, {"reactor", openReactor}}

	limits = websocket.Limits{MessageBytes: messageMax}
)

// openClient dials the peer's server.
func openClient(t *testing.T, p peer, m mode, w *witness) (line, opening) {
	url := p.serve(t, m, w)
	conn, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
		Compression: m.ours, CompressionThreshold: 1, Subprotocols: offered,
		Limits: limits, PingInterval: -1, WriteTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn, opening{conn.Subprotocol(), extensionsOf(response)}
}

// openHTTP2 opens a stream of the peer's server.
func openHTTP2(t *testing.T, p peer, m mode, w *witness) (line, opening) {
	client := new(http2.Client)
	t.Cleanup(func() { client.Close() })
	conn, response, err := client.Dial(t.Context(), p.serve(t, m, w), &websocket.DialOptions{
		Compression: m.ours, CompressionThreshold: 1, Subprotocols: offered,
		Limits: limits, PingInterval: -1, WriteTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn, opening{conn.Subprotocol(), extensionsOf(response)}
}

func acceptOptions(m mode) *websocket.AcceptOptions {
	return &websocket.AcceptOptions{
		Compression: m.ours, CompressionThreshold: 1, Subprotocols: []string{subprotocolOurs},
		Limits: limits, PingInterval: -1, WriteTimeout: patience,
	}
}

// openServer has the peer dial our server.
func openServer(t *testing.T, p peer, m mode, w *witness) (line, opening) {
	accepted := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(rw, r, acceptOptions(m))
		if err != nil {
			t.Error(err)
			return
		}
		accepted <- conn
	}))
	t.Cleanup(server.Close)
	p.dial(t, server.URL, m, w)
	conn := await(t, "the peer's handshake", accepted)
	t.Cleanup(func() { conn.CloseNow() })
	return conn, opening{subprotocol: conn.Subprotocol()}
}

// openReactor has the peer dial our server, which is driven by a reactor.
func openReactor(t *testing.T, p peer, m mode, w *witness) (line, opening) {
	l := &reactorLine{messages: make(chan message, 1), ended: make(chan error, 1)}
	opened := make(chan opening, 1)
	r, err := reactor.New(reactor.Config{Loops: 1, QueueBytesMax: messageMax, Handler: reactor.Handler{
		Open: func(t *reactor.Turn) {
			l.conn = t.Conn()
			opened <- opening{subprotocol: t.Subprotocol()}
		},
		Message: func(_ *reactor.Turn, kind websocket.MessageType, payload []byte) {
			l.messages <- message{kind, append([]byte(nil), payload...)}
		},
		Closed: func(_ *reactor.Turn, err error) { l.ended <- err },
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if err := r.Upgrade(rw, req, acceptOptions(m), nil); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	p.dial(t, server.URL, m, w)
	agreed := await(t, "the peer's handshake", opened)
	t.Cleanup(func() { l.conn.Do(func(t *reactor.Turn) { t.CloseNow() }) })
	return l, agreed
}

type message struct {
	kind    websocket.MessageType
	payload []byte
}

// reactorLine makes a blocking line of a reactor's calls. One message waits at most.
type reactorLine struct {
	conn     reactor.Conn
	messages chan message
	ended    chan error
}

// Write sends in a turn of the connection, as handlers do.
func (l *reactorLine) Write(_ context.Context, kind websocket.MessageType, message []byte) error {
	sent := make(chan error, 1)
	if err := l.conn.Do(func(t *reactor.Turn) { sent <- t.Send(kind, message) }); err != nil {
		return err
	}
	select {
	case err := <-sent:
		return err
	case <-time.After(patience): // the connection has gone
		return errors.New("the turn did not come")
	}
}

func (l *reactorLine) Read(ctx context.Context) (websocket.MessageType, []byte, error) {
	select {
	case m := <-l.messages:
		return m.kind, m.payload, nil
	default:
	}
	select {
	case m := <-l.messages:
		return m.kind, m.payload, nil
	case err := <-l.ended:
		return 0, nil, err
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	case <-time.After(patience):
		return 0, nil, errors.New("nothing came")
	}
}

// Close returns nil if the peer has answered, like that of a Conn.
func (l *reactorLine) Close(code websocket.StatusCode, reason string) error {
	if err := l.conn.Close(code, reason); err != nil {
		return err
	}
	select {
	case err := <-l.ended:
		if status := websocket.CloseStatus(err); status == websocket.StatusAbnormalClosure {
			return err
		}
		return nil
	case <-time.After(patience):
		return errors.New("the close frame was not answered")
	}
}
