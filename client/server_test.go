package client_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/websocket"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience bounds the waits of tests. It passes only when something is broken.
const patience = 30 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// server puts a modelserver behind a real WebSocket on the loopback.
type server struct {
	t       *testing.T
	address string
	running sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	model    *modelserver.Server
	http     *http.Server
	lines    map[*modelserver.Conn]*websocket.Conn
	formats  map[*modelserver.Conn]wire.Format
	accepted int
	news     chan struct{}          // closed and made anew when something may have changed
	closes   []websocket.StatusCode // how the clients closed
}

func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, address: "127.0.0.1:0", model: modelserver.New(), news: make(chan struct{})}
	s.model.Session.Reconnect.WindowMS = 20 // Reconnecting is not what takes the time of a test.
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) url() string { return "ws://" + s.address + "/ws" }

// start listens, after stop on the same address again.
func (s *server) start() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = make(map[*modelserver.Conn]*websocket.Conn)
	s.formats = make(map[*modelserver.Conn]wire.Format)
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: log.New(io.Discard, "", 0)}
	serving := s.http
	s.running.Go(func() { _ = serving.Serve(listener) })
}

// stop kills the server: every line is dropped without a word. Its data stays, unless the test restarts the model.
func (s *server) stop() {
	s.mu.Lock()
	stopping := s.http
	s.cutLocked()
	s.mu.Unlock()
	_ = stopping.Close()
	s.running.Wait()
}

// cut drops every line without a word.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutLocked()
}

func (s *server) cutLocked() {
	for conn, line := range s.lines {
		conn.Close()
		_ = line.CloseNow()
	}
}

// with lets the test look into the model and act on it; what it has to say is sent.
func (s *server) with(f func(*modelserver.Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.model)
	s.flushLocked()
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.running.Add(1)
	defer s.running.Done()
	line, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{wire.SubprotocolJSON, wire.SubprotocolProto}, CloseTimeout: time.Second,
	})
	if err != nil {
		return
	}
	defer line.CloseNow()
	format, _ := wire.FormatOf(line.Subprotocol())
	s.mu.Lock()
	conn := s.model.Open()
	s.lines[conn], s.formats[conn] = line, format
	s.accepted++
	s.changeLocked()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		conn.Close()
		delete(s.lines, conn)
		s.flushLocked()
		s.changeLocked()
		s.mu.Unlock()
	}()
	for {
		_, message, err := line.Read(context.Background())
		if err != nil {
			s.mu.Lock()
			s.closes = append(s.closes, websocket.CloseStatus(err))
			s.changeLocked()
			s.mu.Unlock()
			return
		}
		if !s.receive(conn, format, message) {
			return
		}
	}
}

func (s *server) receive(conn *modelserver.Conn, format wire.Format, message []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for decoder := wire.DecodeClient(format, message); ; {
		m, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.t.Errorf("the client sent %q: %v", message, err)
			return false
		}
		conn.Receive(&m)
	}
	s.flushLocked()
	s.changeLocked()
	return !conn.Closed()
}

// flushLocked sends what the connections have to say, each as one WebSocket message.
func (s *server) flushLocked() {
	for conn, line := range s.lines {
		var message []byte
		for _, m := range conn.Take() {
			encoded, err := wire.AppendServer(message, s.formats[conn], &m)
			if err != nil {
				s.t.Errorf("the model server said %#v: %v", m.Body, err)
			}
			message = encoded
		}
		if len(message) == 0 {
			continue
		}
		kind := websocket.TextMessage
		if s.formats[conn].Binary() {
			kind = websocket.BinaryMessage
		}
		_ = line.Write(context.Background(), kind, message)
	}
}

func (s *server) lineCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

// changed is closed when a client has said something, came or went, after the call.
func (s *server) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}

func (s *server) changeLocked() {
	close(s.news)
	s.news = make(chan struct{})
}

// newClient returns a client that the test closes. It retries quickly, as if its network had come back (LIV-3), so that
// no test waits for jitter.
func newClient(t *testing.T, address string, options *client.Options) *client.Client {
	t.Helper()
	var c *client.Client
	hasty := client.Options{}
	if options != nil {
		hasty = *options
	}
	given := hasty.OnState
	hasty.OnState = func(state client.ConnectionState) {
		if given != nil {
			given(state)
		}
		if state.State == client.Waiting && state.RetryIn > 250*time.Millisecond {
			c.Network(true)
		}
	}
	c, err := client.New(address, &hasty)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func connect(t *testing.T, s *server, options *client.Options) *client.Client {
	t.Helper()
	c := newClient(t, s.url(), options)
	if err := c.Connect(within(t)); err != nil {
		t.Fatal(err)
	}
	return c
}
