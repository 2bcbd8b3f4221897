//go:build linux

package reactor_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// Fairness, counted in messages: of one that floods as much is handed out in a turn as one buffer holds, and
// then its neighbours have theirs, whatever more of the flood has come.
func TestATurnIsOneBuffer(t *testing.T) {
	const readBytes, messages = 4 << 10, 3000 // of seven bytes
	var mu sync.Mutex
	var order []string
	blocked, release := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	_, url := serve(t, reactor.Config{Loops: 1, ReadBytes: readBytes, Handler: reactor.Handler{
		Message: func(_ *reactor.Turn, _ websocket.MessageType, payload []byte) {
			switch text := string(payload); text {
			case "block":
				close(blocked)
				<-release
			default:
				mu.Lock()
				order = append(order, text)
				if len(order) == messages+2 {
					close(done)
				}
				mu.Unlock()
			}
		},
	}}, &websocket.AcceptOptions{PingInterval: -1}) // before a ping all would be read
	blocker, flooder, first, second := peer(t, url, ""), peer(t, url, ""), peer(t, url, ""), peer(t, url, "")
	send(t, blocker, text("block"))
	<-blocked
	send(t, flooder, frames(messages, func(int) websockettest.Frame { return text("f") })...)
	send(t, first, text("first"))
	send(t, second, text("second"))
	for _, p := range []*websockettest.Peer{flooder, first, second} {
		awaitArrival(t, p)
	}
	close(release)
	<-done
	if n := slices.Index(order, "first"); n > readBytes/7+2 { // the second may come before the first
		t.Errorf("%d messages came before the neighbour's of a flood", n)
	}
	if n := slices.Index(order, "second"); n > readBytes/7+2 {
		t.Errorf("%d messages of a flood came before its second neighbour's", n)
	}
}

// awaitArrival returns when the system at the other end has everything that a peer has sent.
func awaitArrival(t *testing.T, p *websockettest.Peer) {
	t.Helper()
	raw, err := p.Line.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for left := 1; left > 0; time.Sleep(time.Millisecond) {
		err := raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A Conn whose connection has gone reaches nobody, although another lives in its place.
func TestAConnThatHasGoneReachesNobody(t *testing.T) {
	conns, closed := make(chan reactor.Conn, 1), make(chan struct{}, 1)
	var group *reactor.Group
	r, url := serve(t, reactor.Config{Loops: 1, Handler: reactor.Handler{
		Open: func(t *reactor.Turn) {
			t.Join(group)
			conns <- t.Conn()
		},
		Message: echo,
		Closed:  func(*reactor.Turn, error) { closed <- struct{}{} },
	}}, nil)
	seen := make(map[reactor.Conn]bool)
	group = r.NewGroup()
	for range 20 {
		p := peer(t, url, "")
		conn := <-conns
		if seen[conn] {
			t.Fatal("a connection looks like one before it")
		}
		for gone := range seen {
			gone.Send(websocket.TextMessage, []byte("for another"))
			gone.Do(func(turn *reactor.Turn) { turn.Send(websocket.TextMessage, []byte("for another")) })
			gone.Close(websocket.StatusGoingAway, "another")
		}
		seen[conn] = true
		for range 2 { // by the second the loop has looked at the calls above
			send(t, p, text("own"))
			expect(t, p, text("own"))
		}
		if n := group.Len(); n != 1 {
			t.Fatalf("%d members", n)
		}
		p.Line.(*net.TCPConn).SetLinger(0)
		p.Line.Close()
		<-closed
	}
}

// A connection that comes while the reactor drains is closed as all others were.
func TestDrainClosesNewcomers(t *testing.T) {
	r, url := serve(t, reactor.Config{Loops: 1, Handler: reactor.Handler{Message: echo}}, nil)
	stuck := peer(t, url, "")
	send(t, stuck, text("here")) // a client has its answer before a loop has its line
	expect(t, stuck, text("here"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(ctx, websocket.StatusGoingAway, "") }()
	expect(t, stuck, websockettest.CloseFrame(1001, "")) // and does not answer, so that it goes on
	late := peer(t, url, "")
	expect(t, late, websockettest.CloseFrame(1001, ""))
	send(t, late, websockettest.CloseFrame(1001, ""))
	if _, err := late.Receive(); err == nil {
		t.Error("the line goes on")
	}
	late.Line.Close()
	select {
	case err := <-done:
		t.Errorf("the drain ended before the last had gone: %v", err)
	default:
	}
	send(t, stuck, websockettest.CloseFrame(1001, ""))
	stuck.Line.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	cancel()
}

// A drain waits for a connection whose handshake is being answered, and closes it as all others: its peer, which has its
// answer before a loop has its line, must not see the line drop. When the last has gone new ones are refused.
func TestDrainWaitsForThoseOnTheirWay(t *testing.T) {
	r, err := reactor.New(reactor.Config{Loops: 1, Handler: reactor.Handler{Message: echo}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	held, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.Upgrade(w, request, &websocket.AcceptOptions{Admit: func() error {
			if request.Header.Get("Held") != "" {
				close(held)
				<-released
			}
			return nil
		}}, nil)
	}))
	defer server.Close()
	defer release()
	stuck := peer(t, server.URL, "")
	send(t, stuck, text("here")) // a client has its answer before a loop has its line
	expect(t, stuck, text("here"))
	line, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	line.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang
	answered := make(chan *websockettest.Peer, 1)
	go func() {
		late, err := websockettest.ClientPeer(line, "Held: yes\r\n")
		if err != nil {
			t.Error(err)
		}
		answered <- late
	}()
	<-held
	if n := r.Connections(); n != 2 {
		t.Fatalf("%d connections, one of which is being answered", n)
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(t.Context(), websocket.StatusGoingAway, "") }()
	bid := func(p *websockettest.Peer) {
		t.Helper()
		expect(t, p, websockettest.CloseFrame(1001, ""))
		send(t, p, websockettest.CloseFrame(1001, ""))
		if _, err := p.Receive(); err != io.EOF {
			t.Errorf("after the close frames: %v", err)
		}
		p.Line.Close()
	}
	bid(stuck)
	for r.Connections() > 1 {
		time.Sleep(time.Millisecond) // until the system has it back, of which nobody tells
	}
	bid(peer(t, server.URL, "")) // nobody else was there, and the drain goes on all the same
	release()
	bid(<-answered)
	if err := <-done; err != nil {
		t.Error(err)
	}
	refused, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	refused.Body.Close()
	if refused.StatusCode != http.StatusServiceUnavailable || !refused.Close {
		t.Errorf("after the end: %s, closed %v", refused.Status, refused.Close)
	}
}

// A peer that takes its output slowly and steadily is kept, also while the system says nothing of it: it calls a
// socket writable again only when a third of its buffer, which is a matter of megabytes, is free.
func TestSlowAndSteadyIsKept(t *testing.T) {
	const timeout = time.Second
	closed := make(chan error, 1)
	_, url := serve(t, reactor.Config{Loops: 1, QueueBytesMax: 1 << 30, Handler: reactor.Handler{
		Message: func(t *reactor.Turn, kind websocket.MessageType, _ []byte) { t.Send(kind, make([]byte, 12<<20)) },
		Closed:  func(_ *reactor.Turn, err error) { closed <- err },
	}}, &websocket.AcceptOptions{WriteTimeout: timeout, PingInterval: -1})
	p := peer(t, url, "")
	p.Line.(*net.TCPConn).SetReadBuffer(websockettest.SteadyBufferBytes)
	send(t, p, text("much"))
	steady, err := websockettest.ReadSteadily(p.Line, 5*timeout/2, timeout)
	select {
	case err = <-closed:
	default:
	}
	if err != nil && steady {
		t.Errorf("given up: %v", err)
	}
}
