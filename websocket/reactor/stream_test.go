//go:build linux

package reactor_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// studio serves streams, and tells the test of each that opens and how it ends.
type studio struct {
	*testing.T
	reactor *reactor.Reactor
	url     string
	opened  chan reactor.Conn
	drained chan bool
	closed  chan error
	taken   chan error // what Take gave
}

const greeting = "HTTP/1.1 200 OK\r\n\r\nhello\n"

func newStudio(t *testing.T, config reactor.Config, streams reactor.StreamConfig) *studio {
	t.Helper()
	s := &studio{T: t, opened: make(chan reactor.Conn, 16), drained: make(chan bool, 16), closed: make(chan error, 16), taken: make(chan error, 16)}
	open := config.Handler.Open
	config.Handler.Open = func(turn *reactor.Turn) {
		if open != nil {
			open(turn)
		}
		turn.Write([]byte(greeting))
		s.opened <- turn.Conn()
	}
	config.Handler.Message = func(*reactor.Turn, websocket.MessageType, []byte) { t.Error("a stream has no messages") }
	config.Handler.Drained = func(*reactor.Turn) { s.drained <- true }
	config.Handler.Closed = func(_ *reactor.Turn, err error) { s.closed <- err }
	r, err := reactor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	kind := r.StreamsOf(streams)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		err := kind.Take(w, req, req.URL.Path)
		if s.taken <- err; err != nil && !errors.Is(err, reactor.ErrUnasked) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		r.Close()
	})
	s.reactor, s.url = r, server.URL
	return s
}

// listener is the peer of a stream.
type listener struct {
	*studio
	net.Conn
	in *bufio.Reader
}

func (s *studio) ask(request string) *listener {
	s.Helper()
	line, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { line.Close() })
	line.SetDeadline(time.Now().Add(20 * time.Second)) // ends a test that would hang
	fmt.Fprint(line, request)
	return &listener{s, line, bufio.NewReader(line)}
}

const getStream = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

// listen opens a stream and reads what it begins with.
func (s *studio) listen() (*listener, reactor.Conn) {
	s.Helper()
	l := s.ask(getStream)
	l.hears(greeting)
	return l, <-s.opened
}

func (l *listener) hears(want string) {
	l.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(l.in, got); err != nil || string(got) != want {
		l.Fatalf("heard %.60q, %v, want %.60q", got[:n], err, want)
	}
}

func (l *listener) hearsTheEnd() {
	l.Helper()
	if rest, err := io.ReadAll(l.in); err != nil || len(rest) > 0 {
		l.Fatalf("heard %.60q, %v, want the end", rest, err)
	}
}

func (s *studio) ends(want error) {
	s.Helper()
	select {
	case got := <-s.closed:
		if !errors.Is(got, want) {
			s.Errorf("ended with %v, want %v", got, want)
		}
	case <-time.After(20 * time.Second): // ends a test that would hang
		s.Fatalf("did not end, want %v", want)
	}
}

// leavesNothing checks that the loops hold nothing any more.
func (s *studio) leavesNothing() {
	s.Helper()
	want := "0 lines, 0 buffers lent, 0 queues, 0 unread, 0 inflating, 0 doomed, 0 members, false in the wheel"
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		held := s.reactor.Held()
		if wrong := strings.Join(held, "\n"); strings.Count(wrong, want) == len(held) && s.reactor.Connections() == 0 {
			return
		} else if time.Now().After(late) {
			s.Fatalf("%d connections, %s", s.reactor.Connections(), wrong)
		}
	}
}

func TestAStreamIsWrittenAsItIsAndInOrder(t *testing.T) {
	s := newStudio(t, reactor.Config{Loops: 1}, reactor.StreamConfig{})
	one, first := s.listen()
	two, second := s.listen()
	long := strings.Repeat("long ", 20_000)
	carry(t, first.Loop(), func(l *reactor.Loop) {
		a, b := l.Raw([]byte("a")), l.Raw([]byte(long))
		l.Pass(first, a)
		l.Pass(first, b) // follows a: one run
		l.Pass(second, b)
		l.Pass(second, a) // does not follow b
		if err := l.Write(second, []byte("written")); err != nil {
			t.Error(err)
		}
		l.Pass(second, b)
		if err := l.Send(first, websocket.TextMessage, []byte("x")); !errors.Is(err, websocket.ErrClosed) {
			t.Errorf("a message on a stream: %v", err)
		}
	})
	one.hears("a" + long)
	two.hears(long + "a" + "written" + long)
	one.Close()
	two.Close()
	s.ends(io.EOF)
	s.ends(io.EOF)
	carry(t, first.Loop(), func(l *reactor.Loop) {
		if err := l.Write(first, []byte("late")); !errors.Is(err, websocket.ErrClosed) {
			t.Errorf("written to a stream that has ended: %v", err)
		}
		if l.Ready(first) || l.Blocked(first) {
			t.Error("a stream that has ended is ready")
		}
		l.Pass(first, l.Raw([]byte("late")))
	})
	s.leavesNothing()
}

func TestStreamsAndWebSocketsShareALoop(t *testing.T) {
	s := newStudio(t, reactor.Config{Loops: 1}, reactor.StreamConfig{})
	l, conn := s.listen()
	// A group is of WebSockets: a stream is not in one.
	group := s.reactor.NewGroup()
	joined := make(chan bool)
	if err := conn.Do(func(turn *reactor.Turn) {
		turn.Join(group)
		turn.Write([]byte("done\n"))
		joined <- true
	}); err != nil {
		t.Fatal(err)
	}
	<-joined
	l.hears("done\n")
	if group.Len() != 0 {
		t.Error("a stream has joined a group")
	}
	if err := conn.Send(websocket.TextMessage, []byte("dropped")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	l.hearsTheEnd()
}

func TestAStreamIsKeptAlive(t *testing.T) {
	s := newStudio(t, reactor.Config{}, reactor.StreamConfig{KeepAlive: []byte(":\n\n"), Interval: 130 * time.Millisecond})
	l, _ := s.listen()
	l.hears(":\n\n:\n\n")
}

// A comment in the middle of an event would end it.
func TestACommentStandsBetweenEvents(t *testing.T) {
	s := newStudio(t, reactor.Config{QueueBytesMax: 64 << 20}, reactor.StreamConfig{KeepAlive: []byte(":\n\n"), Interval: 130 * time.Millisecond})
	l, conn := s.listen()
	event := append(bytes.Repeat([]byte("x"), 16<<20), '\n') // more than a socket takes
	carry(t, conn.Loop(), func(loop *reactor.Loop) { loop.Write(conn, event) })
	l.hears(string(event[:1<<20]))
	for range 3 { // a keep-alive is due meanwhile
		time.Sleep(130 * time.Millisecond)
		l.hears(string(event[:1<<20]))
	}
	l.hears(string(event[4<<20:]))
}

func TestAStreamEndsWhenItsPeerSpeaks(t *testing.T) {
	s := newStudio(t, reactor.Config{}, reactor.StreamConfig{})
	l, _ := s.listen()
	fmt.Fprint(l, getStream)
	s.ends(reactor.ErrUnasked)
	if _, err := io.ReadAll(l.in); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	s.leavesNothing()
}

func TestAPipelinedRequestIsNoStream(t *testing.T) {
	s := newStudio(t, reactor.Config{}, reactor.StreamConfig{})
	l := s.ask(getStream + getStream)
	if err := <-s.taken; !errors.Is(err, reactor.ErrUnasked) {
		t.Errorf("taken with %v", err)
	}
	if b, _ := io.ReadAll(l.in); len(b) > 0 {
		t.Errorf("answered %.60q", b)
	}
	s.leavesNothing()
}

func TestAStreamThatEndsSaysAllBefore(t *testing.T) {
	s := newStudio(t, reactor.Config{}, reactor.StreamConfig{})
	l, conn := s.listen()
	last := bytes.Repeat([]byte("last "), 400_000) // more than a socket takes
	carry(t, conn.Loop(), func(loop *reactor.Loop) {
		loop.Pass(conn, loop.Raw([]byte("first ")))
		for rest := last[:600_000]; len(rest) > 0; rest = rest[100_000:] {
			if err := loop.Write(conn, rest[:100_000]); err != nil {
				t.Error(err)
			}
		}
	})
	if err := conn.Do(func(turn *reactor.Turn) {
		loop := turn.Conn().Loop()
		loop.Pass(conn, loop.Raw([]byte("passed")))
		turn.Close(websocket.StatusGoingAway, "nobody hears")
	}); err != nil {
		t.Fatal(err)
	}
	s.ends(websocket.ErrClosed)
	l.hears("first " + string(last[:600_000]) + "passed")
	l.hearsTheEnd()
	l.Close()
	s.leavesNothing()
}

func TestAStreamIsReadAtItsPeersPace(t *testing.T) {
	s := newStudio(t, reactor.Config{QueueBytesMax: 8 << 20}, reactor.StreamConfig{KeepAlive: []byte(":\n\n"), Interval: 130 * time.Millisecond})
	l, conn := s.listen()
	chunk := bytes.Repeat([]byte("x"), 4<<20)
	for blocked := false; !blocked; {
		carry(t, conn.Loop(), func(loop *reactor.Loop) {
			if blocked = loop.Blocked(conn); blocked {
				if loop.Ready(conn) {
					t.Error("blocked, and ready")
				}
				return
			}
			if err := loop.Write(conn, chunk); err != nil {
				t.Error(err)
			}
		})
	}
	go io.Copy(io.Discard, l.in)
	<-s.drained
	l.Close()
}

func TestAPeerThatDoesNotListenLosesItsStream(t *testing.T) {
	for name, test := range map[string]struct {
		config  reactor.Config
		streams reactor.StreamConfig
		bytes   int
	}{
		"too much waits":      {reactor.Config{QueueBytesMax: 1 << 20}, reactor.StreamConfig{}, 32 << 20},
		"nothing is taken":    {reactor.Config{QueueBytesMax: 64 << 20}, reactor.StreamConfig{WriteTimeout: 200 * time.Millisecond}, 32 << 20},
		"it does not hang up": {reactor.Config{}, reactor.StreamConfig{CloseTimeout: 200 * time.Millisecond}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t, test.config, test.streams)
			l, conn := s.listen()
			carry(t, conn.Loop(), func(loop *reactor.Loop) { loop.Write(conn, make([]byte, test.bytes)) })
			if test.bytes > 0 {
				s.ends(reactor.ErrSlow)
			} else {
				conn.Close(0, "")
				s.ends(websocket.ErrClosed)
				l.hearsTheEnd()
			}
			s.leavesNothing()
		})
	}
}

func TestWhereAStreamCannotBe(t *testing.T) {
	s := newStudio(t, reactor.Config{ConnectionsMax: 1}, reactor.StreamConfig{})
	l, _ := s.listen()
	if err := <-s.taken; err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(s.ask(getStream).in, nil)
	if full := <-s.taken; err != nil || answer.StatusCode != http.StatusServiceUnavailable || !errors.Is(full, reactor.ErrFull) {
		t.Errorf("%v %v %v", answer, err, full)
	}
	l.Close()
	s.ends(io.EOF)

	kind := s.reactor.StreamsOf(reactor.StreamConfig{})
	over := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprint(w, kind.Take(w, req, nil))
	}))
	defer over.Close()
	secure, err := over.Client().Get(over.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(secure.Body); string(b) != reactor.ErrTransport.Error() {
		t.Errorf("over TLS: %q", b)
	}
	secure.Body.Close()
	s.reactor.Close()
	if err := kind.Take(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), nil); !errors.Is(err, websocket.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// A door has its loops answer requests for streams, and nothing else at their path.
func TestADoorTakesStreams(t *testing.T) {
	var kind atomic.Pointer[reactor.Streams]
	p := newPorch(t, reactor.Config{}, func(d *reactor.Door) {
		d.StreamPath = "/sse"
		upgrade := d.Handler
		d.Handler = func(w http.ResponseWriter, r *http.Request, ticket any) {
			if r.URL.Path != "/sse" {
				upgrade(w, r, ticket)
				return
			}
			d.Gone(ticket) // back it came, as the handler's
			if r.URL.RawQuery == "refuse" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			if err := kind.Load().Take(w, r, "stream"); err != nil {
				t.Error(err)
			}
			if err := kind.Load().Take(w, r, "again"); !errors.Is(err, http.ErrHijacked) {
				t.Errorf("taken twice: %v", err)
			}
		}
	})
	kind.Store(p.StreamsOf(reactor.StreamConfig{}))
	s := &studio{T: t, url: p.address}
	l := s.ask("GET /sse?a HTTP/1.1\r\nHost: h\r\n\r\n")
	conn := <-p.opened
	conn.Do(func(turn *reactor.Turn) { turn.Write([]byte(greeting)) })
	l.hears(greeting)
	l.Close()
	if err := <-p.closed; !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
	s.ask("GET /sse HTTP/1.1\r\nHost: h\r\n\r\nGET /sse HTTP/1.1\r\nHost: h\r\n\r\n")
	<-p.opened
	if err := <-p.closed; !errors.Is(err, reactor.ErrUnasked) {
		t.Errorf("two requests at once: ended with %v", err)
	}
	answer, err := http.ReadResponse(s.ask("GET /sse?refuse HTTP/1.1\r\nHost: h\r\n\r\n").in, nil)
	if err != nil || answer.StatusCode != http.StatusForbidden || !answer.Close {
		t.Errorf("refused with %v %v", answer, err)
	}
	for _, request := range []string{
		"POST /sse HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "GET /sse/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET /ss%65 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /sse HTTP/1.0\r\nHost: h\r\n\r\n", "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", strings.Replace(handshakeHead, "/ws", "/sse", 1),
		strings.Replace(handshakeHead, "websocket", "h2c", 1),
	} {
		s.ask(request)
		(<-p.others).Close()
	}
	// Without a path for streams there are none.
	plain := newPorch(t, reactor.Config{}, nil)
	(&studio{T: t, url: plain.address}).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	(<-plain.others).Close()
	p.noTicketsLeft()
}

func TestShutdownEndsStreams(t *testing.T) {
	s := newStudio(t, reactor.Config{}, reactor.StreamConfig{})
	l, _ := s.listen()
	done := make(chan error)
	go func() { done <- s.reactor.Shutdown(t.Context(), websocket.StatusGoingAway, "") }()
	l.hearsTheEnd()
	s.ends(websocket.ErrClosed)
	l.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAPanicEndsAStreamAndNoOther(t *testing.T) {
	s := newStudio(t, reactor.Config{Logger: textLogger(io.Discard)}, reactor.StreamConfig{})
	one, first := s.listen()
	two, second := s.listen()
	first.Do(func(*reactor.Turn) { panic("on purpose") })
	if err := <-s.closed; err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("ended with %v", err)
	}
	one.hearsTheEnd()
	second.Do(func(turn *reactor.Turn) { turn.Write([]byte("still here")) })
	two.hears("still here")
	second.Do(func(turn *reactor.Turn) { turn.CloseNow() })
	s.ends(websocket.ErrClosed)
	s.leavesNothing()
}
