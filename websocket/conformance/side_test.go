package conformance_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// A side is a way to run the engine: a role, a driver, and what its line is.
type side struct {
	name   string
	client bool // the engine is the client
	memory bool // its line is in memory, and takes lineBytes before anybody reads
	open   func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject
}

// A subject is an engine that echoes what comes, and the peer that it talks to.
type subject struct {
	*life
	peer *ws.Peer
}

// lineBytes is enough for a peer to send a whole case before it reads.
const lineBytes = 48 << 20

// sides returns every way to run the engine. What they share ends with the test.
func sides(t *testing.T) []side {
	all := []side{
		{name: "server", memory: true, open: func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject {
			serverLine, clientLine := ws.Lines(lineBytes)
			return openServer(t, reading, serverLine, clientLine, opts, extra)
		}},
		{name: "client", client: true, memory: true, open: func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject {
			serverLine, clientLine := ws.Lines(lineBytes)
			return openClient(t, (*life).read, serverLine, clientLine, opts, extra)
		}},
		{name: "serving server", memory: true, open: func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject {
			serverLine, clientLine := ws.Lines(lineBytes)
			return openServer(t, serving, serverLine, clientLine, opts, extra)
		}},
	}
	return append(all, socketSides(t)...)
}

// socketSides returns the ways to run the engine over TCP.
func socketSides(t *testing.T) []side {
	var all []side
	for name, drive := range map[string]func(*life, *websocket.Conn) error{"reading": (*life).read, "serving": (*life).serve} {
		all = append(all, side{name: name + " client over TCP", client: true, open: func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject {
			serverLine, clientLine := ws.Sockets(t)
			return openClient(t, drive, serverLine, clientLine, opts, extra)
		}})
	}
	for _, d := range drivers(t) {
		all = append(all, side{name: d.name + " server over TCP", open: func(t *testing.T, opts websocket.AcceptOptions, extra string) *subject {
			serverLine, clientLine := ws.Sockets(t)
			return openServer(t, d, serverLine, clientLine, opts, extra)
		}})
	}
	return all
}

// A driver is what serves connections that an HTTP server has the request of.
type driver struct {
	name string

	// serve upgrades the request and echoes what comes. Of the life, which it fills in,
	// ended gets one error unless serve fails.
	serve func(w http.ResponseWriter, r *http.Request, opts *websocket.AcceptOptions, l *life) error
}

// A life is an engine's connection from its beginning to its end.
type life struct {
	opened chan closer // gets the connection
	ended  chan error  // gets the error that the connection ends with
	heard  []string    // the first messages that came, as far as they are small; to be read after the end
}

// hear takes down a message that came.
func (l *life) hear(payload []byte) {
	if len(l.heard) < 20 && len(payload) < 1000 {
		l.heard = append(l.heard, string(payload))
	}
}

func newLife() *life { return &life{opened: make(chan closer, 1), ended: make(chan error, 1)} }

// A closer is a connection of either driver.
type closer interface {
	Close(websocket.StatusCode, string) error
}

// close lets the engine close its connection; it may be called once.
func (l *life) close(code websocket.StatusCode, reason string) error {
	return (<-l.opened).Close(code, reason)
}

// drivers returns those that there are on this system.
func drivers(t *testing.T) []driver {
	all := []driver{reading, serving}
	if runtime.GOOS == "linux" {
		r := echoReactor(t)
		all = append(all, driver{"reactor", func(w http.ResponseWriter, request *http.Request, opts *websocket.AcceptOptions, l *life) error {
			return r.Upgrade(w, request, opts, l)
		}})
	}
	return all
}

// reading and serving are the two ways to use the goroutine driver: by Read and Write, and by Serve.
var (
	reading = driver{"reading", onGoroutine((*life).read)}
	serving = driver{"serving", onGoroutine((*life).serve)}
)

func onGoroutine(drive func(*life, *websocket.Conn) error) func(http.ResponseWriter, *http.Request, *websocket.AcceptOptions, *life) error {
	return func(w http.ResponseWriter, r *http.Request, opts *websocket.AcceptOptions, l *life) error {
		conn, err := websocket.Accept(w, r, opts)
		if err == nil {
			l.start(conn, drive)
		}
		return err
	}
}

// start lets a connection of the goroutine driver echo.
func (l *life) start(conn *websocket.Conn, drive func(*life, *websocket.Conn) error) {
	l.opened <- conn
	go func() {
		err := drive(l, conn)
		conn.CloseNow()
		l.ended <- err
	}()
}

func (l *life) read(conn *websocket.Conn) error {
	var buf []byte
	for open := true; ; { // what came before the end is heard, also when nobody takes the echo any more
		kind, message, err := conn.ReadInto(context.Background(), buf)
		if err != nil {
			return err
		}
		l.hear(message)
		open = open && conn.Write(context.Background(), kind, message) == nil
		buf = message
	}
}

func (l *life) serve(conn *websocket.Conn) error {
	return conn.Serve(context.Background(), func(t *websocket.Turn, kind websocket.MessageType, message []byte) error {
		l.hear(message)
		t.Send(kind, message)
		return nil
	})
}

// echoReactor starts a reactor whose connections echo. Their data is their life.
func echoReactor(t *testing.T) *reactor.Reactor {
	r, err := reactor.New(reactor.Config{
		QueueBytesMax: lineBytes, // above the largest message of a case
		Handler: reactor.Handler{
			Open: func(t *reactor.Turn) { t.Data().(*life).opened <- t.Conn() },
			Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
				t.Data().(*life).hear(payload)
				t.Send(kind, payload)
			},
			Closed: func(t *reactor.Turn, err error) { t.Data().(*life).ended <- err },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// openServer makes an engine in the role of the server, and a peer that is a client.
func openServer(t *testing.T, d driver, serverLine, clientLine net.Conn, opts websocket.AcceptOptions, extra string) *subject {
	t.Helper()
	l, served := newLife(), make(chan error, 1)
	go func() {
		served <- ws.Serve(serverLine, func(w http.ResponseWriter, r *http.Request) error { return d.serve(w, r, &opts, l) })
	}()
	peer, err := ws.ClientPeer(clientLine, extra)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return watched(t, peer, l)
}

// openClient makes an engine in the role of the client, and a peer that is a server.
func openClient(t *testing.T, drive func(*life, *websocket.Conn) error, serverLine, clientLine net.Conn, opts websocket.AcceptOptions, extra string) *subject {
	t.Helper()
	answered := make(chan *ws.Peer, 1)
	go func() {
		peer, _ := ws.ServerPeer(serverLine, extra)
		answered <- peer
	}()
	conn, err := ws.Dial(t.Context(), clientLine, &websocket.DialOptions{
		Compression:          opts.Compression,
		CompressionThreshold: opts.CompressionThreshold,
		Limits:               opts.Limits,
		PingInterval:         opts.PingInterval,
		PongTimeout:          opts.PongTimeout,
		CloseTimeout:         opts.CloseTimeout,
		WriteTimeout:         opts.WriteTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := newLife()
	l.start(conn, drive)
	return watched(t, <-answered, l)
}

// watched is a subject whose line ends with the test, and whose peer waits for nothing for ever.
func watched(t *testing.T, peer *ws.Peer, l *life) *subject {
	peer.Line.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang, not a measure
	t.Cleanup(func() { peer.Line.Close() })
	return &subject{life: l, peer: peer}
}
