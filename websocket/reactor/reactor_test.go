//go:build linux

package reactor_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// echo is the handler of most tests.
func echo(t *reactor.Turn, kind websocket.MessageType, payload []byte) { t.Send(kind, payload) }

// serve starts a reactor behind an HTTP server, and ends both with the test.
func serve(t testing.TB, config reactor.Config, opts *websocket.AcceptOptions) (*reactor.Reactor, string) {
	t.Helper()
	r, err := reactor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.Upgrade(w, req, opts, req.URL.Path) // its error has been answered, and the client tells
	}))
	t.Cleanup(func() {
		server.Close()
		r.Close()
	})
	return r, server.URL
}

func dial(t testing.TB, url string, opts *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// peer connects one that speaks in literal frames.
func peer(t testing.TB, url, extra string) *websockettest.Peer {
	t.Helper()
	line, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	p, err := websockettest.ClientPeer(line, extra)
	if err != nil {
		t.Fatal(err)
	}
	if p.Answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %s", p.Answer.Status)
	}
	return p
}

func send(t testing.TB, p *websockettest.Peer, frames ...websockettest.Frame) {
	t.Helper()
	if err := p.Send(frames...); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, p *websockettest.Peer, want ...websockettest.Frame) {
	t.Helper()
	for i, want := range want {
		got, err := p.Receive()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !got.Equal(want) {
			t.Fatalf("frame %d: got %v, want %v", i, got, want)
		}
	}
}

func frames(n int, f func(i int) websockettest.Frame) (all []websockettest.Frame) {
	for i := range n {
		all = append(all, f(i))
	}
	return all
}

func TestLifeOfAConnection(t *testing.T) {
	events := make(chan string, 16)
	handler := reactor.Handler{
		Open: func(t *reactor.Turn) {
			events <- "open " + t.Data().(string) + " " + t.Subprotocol()
			if t.RemoteAddr().(*net.TCPAddr).Port == 0 {
				events <- "no address"
			}
		},
		Message: func(t *reactor.Turn, _ websocket.MessageType, payload []byte) { events <- "message " + string(payload) },
		Closed: func(t *reactor.Turn, err error) {
			events <- "closed " + err.Error()
			if err := t.Send(websocket.TextMessage, nil); err != websocket.ErrClosed {
				events <- "sent after the end"
			}
		},
	}
	r, url := serve(t, reactor.Config{Handler: handler}, &websocket.AcceptOptions{Subprotocols: []string{"a.v1"}})
	conn := dial(t, url+"/way", &websocket.DialOptions{Subprotocols: []string{"a.v1"}})
	if err := conn.Write(t.Context(), websocket.TextMessage, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(4000, "done"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"open /way a.v1", "message hi", `closed websocket: closed with status 4000 "done"`} {
		if got := <-events; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	r.Close()
	if len(events) > 0 {
		t.Fatalf("then came %q", <-events)
	}
}

func TestConnIsUsedFromAnyGoroutine(t *testing.T) {
	conns := make(chan reactor.Conn, 1)
	handler := reactor.Handler{Open: func(t *reactor.Turn) { conns <- t.Conn() }}
	_, url := serve(t, reactor.Config{Handler: handler}, nil)
	client := dial(t, url, nil)
	conn := <-conns
	if err := conn.Send(websocket.TextMessage, []byte{0xff}); err == nil {
		t.Error("text that is no UTF-8 was taken")
	}
	for _, text := range []string{"one", "two"} {
		if err := conn.Send(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Do(func(t *reactor.Turn) { t.Send(websocket.TextMessage, []byte("three")) }); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(4002, "enough"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", "three"} {
		_, got, err := client.Read(t.Context())
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != 4002 {
		t.Fatal(err)
	}
	if err := (reactor.Conn{}).Send(websocket.TextMessage, nil); err != websocket.ErrClosed {
		t.Fatal(err)
	}
}

func TestPanicOfTheHandlerEndsItsConnectionOnly(t *testing.T) {
	var log bytes.Buffer
	handler := reactor.Handler{Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
		if string(payload) == "boom" {
			panic("boom")
		}
		t.Send(kind, payload)
	}}
	r, url := serve(t, reactor.Config{Loops: 1, Handler: handler, Logger: textLogger(&log)}, nil)
	bad, good := dial(t, url, nil), dial(t, url, nil)
	bad.Write(t.Context(), websocket.TextMessage, []byte("boom"))
	if _, _, err := bad.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusInternalError {
		t.Error(err)
	}
	good.Write(t.Context(), websocket.TextMessage, []byte("still here"))
	if _, got, err := good.Read(t.Context()); string(got) != "still here" {
		t.Error(err)
	}
	r.Close()
	if !strings.Contains(log.String(), "panic=boom") {
		t.Errorf("log %q", log.String())
	}
}

func TestHandOffKeepsTheOrderAndTheLoopFree(t *testing.T) {
	release := make(chan struct{})
	handler := reactor.Handler{Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
		conn, text := t.Conn(), string(payload)
		if text == "quick" {
			t.Send(kind, payload)
			return
		}
		t.HandOff(func() {
			<-release
			conn.Send(kind, []byte(text))
		})
	}}
	_, url := serve(t, reactor.Config{Loops: 1, Handler: handler}, nil)
	slow, quick := peer(t, url, ""), peer(t, url, "")
	texts := frames(9, func(i int) websockettest.Frame { return websockettest.Fin(frame.Text, string(rune('a'+i))) })
	send(t, slow, texts[:5]...)
	send(t, slow, texts[5:]...)
	send(t, quick, websockettest.Fin(frame.Text, "quick"))
	expect(t, quick, websockettest.Fin(frame.Text, "quick"))
	close(release)
	expect(t, slow, texts...)
}

func TestShutdownClosesWithAHandshake(t *testing.T) {
	r, url := serve(t, reactor.Config{Handler: reactor.Handler{Message: echo}}, nil)
	client := dial(t, url, nil)
	client.Write(t.Context(), websocket.TextMessage, []byte("here"))
	client.Read(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(t.Context(), websocket.StatusGoingAway, "restart") }()
	if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := r.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestShutdownEndsWhatDoesNotAnswer(t *testing.T) {
	r, url := serve(t, reactor.Config{Handler: reactor.Handler{Message: echo}}, nil)
	p := peer(t, url, "")
	send(t, p, websockettest.Fin(frame.Text, "here"))
	expect(t, p, websockettest.Fin(frame.Text, "here"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Shutdown(ctx, websocket.StatusGoingAway, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := r.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestSilentPeerIsPingedAndGivenUp(t *testing.T) {
	closed := make(chan error, 1)
	handler := reactor.Handler{Closed: func(_ *reactor.Turn, err error) { closed <- err }}
	_, url := serve(t, reactor.Config{Handler: handler}, &websocket.AcceptOptions{PingInterval: time.Millisecond, PongTimeout: time.Millisecond})
	p := peer(t, url, "")
	expect(t, p, websockettest.Fin(frame.Ping, ""))
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
		t.Fatal(err)
	}
}

func TestMoreThanConnectionsMaxAreRefused(t *testing.T) {
	_, url := serve(t, reactor.Config{ConnectionsMax: 1}, nil)
	dial(t, url, nil)
	_, response, err := websocket.Dial(t.Context(), url, nil)
	if err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(err)
	}
}

func TestPanicOfATaskEndsItsConnection(t *testing.T) {
	var log bytes.Buffer
	handler := reactor.Handler{Message: func(t *reactor.Turn, _ websocket.MessageType, _ []byte) {
		t.HandOff(func() { panic("boom") })
	}}
	r, url := serve(t, reactor.Config{Handler: handler, Logger: textLogger(&log)}, nil)
	client := dial(t, url, nil)
	client.Write(t.Context(), websocket.TextMessage, []byte("go"))
	if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusInternalError {
		t.Error(err)
	}
	r.Close()
	if !strings.Contains(log.String(), "panic=boom") {
		t.Errorf("log %q", log.String())
	}
}

func TestPanicOfACallEndsItsConnection(t *testing.T) {
	var log bytes.Buffer
	conns := make(chan reactor.Conn, 1)
	handler := reactor.Handler{Open: func(t *reactor.Turn) { conns <- t.Conn() }}
	r, url := serve(t, reactor.Config{Handler: handler, Logger: textLogger(&log)}, nil)
	client := dial(t, url, nil)
	if err := (<-conns).Do(func(*reactor.Turn) { panic("boom") }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusInternalError {
		t.Error(err)
	}
	r.Close()
	if !strings.Contains(log.String(), "panic=boom") {
		t.Errorf("log %q", log.String())
	}
}
