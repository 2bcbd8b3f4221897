package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience ends a test that would hang; nothing passes because of it.
const patience = 10 * time.Second

const (
	testSecret = "test-secret-0123456789-0123456789-abcdef"
	testAPIKey = "test-api-key-0123456789abcdef"
)

// fixture is a server that runs on loopback until the test ends.
type fixture struct {
	t      *testing.T
	server *Server
	log    *syncBuffer
	stop   context.CancelFunc
	done   chan error // gets Run's result once
	client *http.Client
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs a server in development mode, changed by change.
func start(t *testing.T, change func(*config.Config)) *fixture {
	t.Helper()
	return startWith(t, map[string]any{"dev": true, "listen": "127.0.0.1:0", "name": "test"}, change)
}

// startClosed runs a server with the safe defaults, one secret, one API key and one namespace for users.
func startClosed(t *testing.T, change func(*config.Config)) *fixture {
	t.Helper()
	flags := map[string]any{
		"listen": "127.0.0.1:0", "name": "test", "tokens.hmac_secret": testSecret, "api.keys": []any{testAPIKey},
		"namespaces.chat.history": "true", "namespaces.chat.allow.subscribe": "user", "namespaces.chat.allow.publish": "user",
	}
	return startWith(t, flags, change)
}

func startWith(t *testing.T, flags map[string]any, change func(*config.Config)) *fixture {
	t.Helper()
	cfg, err := config.Load(config.Sources{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Drain = 0
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	s, err := New(Options{Config: cfg, Version: "test", Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &fixture{
		t: t, server: s, log: log, stop: stop, done: make(chan error, 1),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{}},
	}
	go func() { f.done <- s.Run(ctx) }()
	t.Cleanup(f.end)
	return f
}

// end stops the server and waits for it. It may be called early by a test.
func (f *fixture) end() {
	f.client.CloseIdleConnections()
	f.stop()
	select {
	case err := <-f.done:
		f.done <- nil
		if err != nil {
			f.t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		f.t.Fatal("the server does not end")
	}
}

func (f *fixture) address() string { return f.server.publicListener.Addr().String() }

// call posts to a method of the API with the right key.
func (f *fixture) call(method, body string) (int, map[string]any) {
	f.t.Helper()
	key := f.server.config.API.Keys[0]
	status, answer := f.post("/api/v1/"+method, body, http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}})
	checkSchema(f.t, method, status, body, answer)
	return status, answer
}

func (f *fixture) post(path, body string, header http.Header) (int, map[string]any) {
	f.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+f.address()+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header = header
	status, _, content := f.do(request)
	var answer map[string]any
	if err := json.Unmarshal(content, &answer); err != nil {
		f.t.Fatalf("%s: %v in %q", path, err, content)
	}
	return status, answer
}

func (f *fixture) get(path string, header http.Header) (int, http.Header, []byte) {
	f.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+f.address()+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	return f.do(request)
}

func (f *fixture) do(request *http.Request) (int, http.Header, []byte) {
	f.t.Helper()
	response, err := f.client.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, response.Header, content
}

// raw sends literal bytes on a connection of its own and returns the first answer's status and header, and whether the
// server closed the connection after it. A status of 0 means that it closed without an answer.
func (f *fixture) raw(request string) (status int, header http.Header, closed bool) {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.address())
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, request) // the server may answer and close before it has read all
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, nil, true
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response.StatusCode, response.Header, false
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err = reader.ReadByte(); err == nil {
		f.t.Errorf("bytes after the answer to %.60q", request)
	}
	var timeout net.Error
	closed = !(errorsAsTimeout(err, &timeout))
	return response.StatusCode, response.Header, closed
}

func errorsAsTimeout(err error, target *net.Error) bool {
	found, ok := err.(net.Error)
	*target = found
	return ok && found.Timeout()
}

// line is a WebSocket client that speaks the JSON framing by hand.
type line struct {
	t       *testing.T
	conn    *websocket.Conn
	waiting []map[string]any
}

func (f *fixture) dial(path string, options *websocket.DialOptions) *line {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+f.address()+path, options)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.CloseNow() })
	return &line{t: f.t, conn: conn}
}

// connected is a line on which connect has been answered.
func (f *fixture) connected(token string) *line {
	f.t.Helper()
	l := f.dial("/ws", nil)
	l.send(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token))
	if token == "" {
		l.t.Fatal("use anonymous")
	}
	l.expect("connect")
	return l
}

func (f *fixture) anonymous() *line {
	f.t.Helper()
	l := f.dial("/ws", nil)
	l.send(`{"id":1,"connect":{}}`)
	l.expect("connect")
	return l
}

func (l *line) send(text string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.TextMessage, []byte(text)); err != nil {
		l.t.Fatalf("sending %.80q: %v", text, err)
	}
}

// read returns the next message, or the code by which the line ended.
func (l *line) read() (map[string]any, websocket.StatusCode) {
	l.t.Helper()
	for len(l.waiting) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, content, err := l.conn.Read(ctx)
		cancel()
		if err != nil {
			code := websocket.CloseStatus(err)
			if code == 0 {
				l.t.Fatalf("reading: %v", err)
			}
			return nil, code
		}
		for text := range strings.SplitSeq(strings.TrimSuffix(string(content), "\n"), "\n") {
			var message map[string]any
			if err := json.Unmarshal([]byte(text), &message); err != nil {
				l.t.Fatalf("%v in %q", err, text)
			}
			l.waiting = append(l.waiting, message)
		}
	}
	message := l.waiting[0]
	l.waiting = l.waiting[1:]
	return message, 0
}

// expect returns the field of the next message, which must be of this kind.
func (l *line) expect(kind string) map[string]any {
	l.t.Helper()
	message, code := l.read()
	if code != 0 {
		l.t.Fatalf("the line ended with %d, want %s", code, kind)
	}
	field, ok := message[kind].(map[string]any)
	if !ok {
		l.t.Fatalf("got %v, want %s", message, kind)
	}
	return field
}

// expectEnd reads to the end of the line, whose code must be this.
func (l *line) expectEnd(want websocket.StatusCode) {
	l.t.Helper()
	for {
		if _, code := l.read(); code != 0 {
			if code != want {
				l.t.Errorf("the line ended with %d, want %d", code, want)
			}
			return
		}
	}
}

// alive is the liveness call: a new honest client connects, subscribes, publishes and receives.
func (f *fixture) alive() {
	f.t.Helper()
	l := f.anonymous()
	l.send(`{"id":2,"subscribe":{"channels":[{"channel":"alive:x"}]}}`)
	l.expect("subscribed")
	l.expect("subscribe")
	l.send(`{"id":3,"publish":{"channel":"alive:x","data":"still here"}}`)
	for range 2 {
		message, code := l.read()
		if code != 0 {
			f.t.Fatalf("an honest line ended with %d", code)
		}
		if publication, ok := message["publication"].(map[string]any); ok && publication["data"] != "still here" {
			f.t.Fatalf("got %v", message)
		}
	}
	_ = l.conn.CloseNow()
}
