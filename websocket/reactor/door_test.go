//go:build linux

package reactor_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

const handshakeHead = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// porch is a reactor with a door, and what the door has told.
type porch struct {
	*reactor.Reactor
	t       testing.TB
	address string
	stop    func()
	in      chan netip.AddrPort // who was admitted, of the first few
	others  chan net.Conn
	gone    chan any
	closed  chan error
	opened  chan reactor.Conn
	tickets sync.Map // given out and not come back
}

// newPorch opens a door whose tickets are the peers' addresses. Nil change leaves it as it is.
func newPorch(t testing.TB, config reactor.Config, change func(*reactor.Door)) *porch {
	t.Helper()
	p := &porch{t: t, in: make(chan netip.AddrPort, 64), others: make(chan net.Conn, 64), gone: make(chan any, 64), closed: make(chan error, 1024), opened: make(chan reactor.Conn, 1024)}
	config.Logger = textLogger(io.Discard)
	config.Handler = reactor.Handler{
		Open:    func(turn *reactor.Turn) { p.opened <- turn.Conn() },
		Message: echo,
		Closed:  func(_ *reactor.Turn, err error) { p.closed <- err },
	}
	var err error
	if p.Reactor, err = reactor.New(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	door := reactor.Door{
		Path: "/ws",
		Admit: func(peer netip.AddrPort) (any, bool) {
			p.tickets.Store(peer, true)
			select {
			case p.in <- peer:
			default:
			}
			return peer, true
		},
		Handler: func(w http.ResponseWriter, r *http.Request, ticket any) {
			p.back(ticket)
			if r.RemoteAddr != ticket.(netip.AddrPort).String() {
				t.Errorf("the request is of %s, the ticket of %v", r.RemoteAddr, ticket)
			}
			p.Upgrade(w, r, nil, nil)
		},
		Other: func(line net.Conn, ticket any) {
			p.back(ticket)
			p.others <- line
		},
		Gone: func(ticket any) {
			p.back(ticket)
			p.gone <- ticket
		},
	}
	if change != nil {
		change(&door)
	}
	if p.stop, err = p.Serve(listener, door); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *porch) back(ticket any) {
	if _, was := p.tickets.LoadAndDelete(ticket); !was {
		p.t.Errorf("ticket %v came twice, or from nowhere", ticket)
	}
}

func (p *porch) noTicketsLeft() {
	p.t.Helper()
	p.tickets.Range(func(ticket, _ any) bool {
		p.t.Errorf("ticket %v did not come back", ticket)
		return true
	})
}

// dial connects without saying anything.
func (p *porch) dial() net.Conn {
	p.t.Helper()
	line, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { line.Close() })
	line.SetDeadline(time.Now().Add(hangMax))
	return line
}

// hangMax ends what would hang.
const hangMax = 20 * time.Second

// soon receives from a channel.
func soon[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(hangMax):
		t.Fatal("nothing came")
	}
	return v
}

func (p *porch) say(line net.Conn, text string) {
	p.t.Helper()
	if _, err := io.WriteString(line, text); err != nil {
		p.t.Fatal(err)
	}
}

// answered reads the head of an answer, and expects a status.
func (p *porch) answered(line net.Conn, status int) (*bufio.Reader, *http.Response) {
	p.t.Helper()
	reader := bufio.NewReader(line)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if answer.StatusCode != status {
		p.t.Fatalf("answered %s, want %d", answer.Status, status)
	}
	return reader, answer
}

func TestADoorServesHandshakesAndWhatComesWithThem(t *testing.T) {
	p := newPorch(t, reactor.Config{Loops: 2}, nil)
	for range 5 { // on both loops
		line := p.dial()
		ping := websockettest.Fin(frame.Ping, "together").Append(nil, true)
		p.say(line, handshakeHead+string(ping))
		reader, _ := p.answered(line, http.StatusSwitchingProtocols)
		pong := make([]byte, 10)
		if _, err := io.ReadFull(reader, pong); err != nil || string(pong) != "\x8a\x08together" {
			t.Fatalf("%q %v", pong, err)
		}
	}
	if p.Connections() != 5 {
		t.Errorf("%d connections", p.Connections())
	}
	client := dial(t, "ws://"+p.address+"/ws", nil)
	if err := client.Write(t.Context(), websocket.TextMessage, []byte("by the library")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := client.Read(t.Context()); err != nil || string(got) != "by the library" {
		t.Fatalf("%q %v", got, err)
	}
	p.noTicketsLeft()
}

// Whatever is no plain handshake for the path is handed over with every byte.
func TestADoorHandsOverWhatItDoesNotServe(t *testing.T) {
	p := newPorch(t, reactor.Config{}, nil)
	for name, said := range map[string]string{
		"another path":          strings.Replace(handshakeHead, "/ws", "/api", 1),
		"an escaped path":       strings.Replace(handshakeHead, "/ws", "/%77s", 1) + "more",
		"a post":                "POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
		"half a head":           handshakeHead[:60],
		"one byte":              "G",
		"TLS":                   "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"two Hosts":             strings.Replace(handshakeHead, "Upgrade:", "Host: b\r\nUpgrade:", 1),
		"a request with a body": strings.Replace(handshakeHead, "Upgrade:", "Content-Length: 3\r\nUpgrade:", 1) + "abc",
	} {
		line := p.dial()
		p.say(line, said)
		other := soon(t, p.others)
		if _, plain := other.(*net.TCPConn); !plain {
			t.Errorf("%s: handed over as %T", name, other)
		}
		got := make([]byte, len(said))
		if _, err := io.ReadFull(other, got); err != nil || string(got) != said {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if other.RemoteAddr().String() != line.LocalAddr().String() {
			t.Errorf("%s: from %v", name, other.RemoteAddr())
		}
		io.WriteString(other, "answer")
		other.Close()
		if answer, err := io.ReadAll(line); err != nil || string(answer) != "answer" {
			t.Errorf("%s: answered %q %v", name, answer, err)
		}
	}
	if p.Connections() != 0 {
		t.Errorf("%d connections are counted", p.Connections())
	}
	p.noTicketsLeft()
}

func TestADoorTellsOfThoseThatLeaveOrSayNothing(t *testing.T) {
	p := newPorch(t, reactor.Config{}, nil)
	line, reset := p.dial(), p.dial().(*net.TCPConn)
	soon(t, p.in) // after a second, since they say nothing
	soon(t, p.in)
	line.Close()
	soon(t, p.gone)
	reset.SetLinger(0)
	reset.Close()
	soon(t, p.gone)
	silent := newPorch(t, reactor.Config{}, func(d *reactor.Door) { d.HeadTimeout = time.Millisecond })
	line = silent.dial()
	soon(t, silent.gone)
	if b, err := io.ReadAll(line); len(b) > 0 || err != nil {
		t.Errorf("%q %v", b, err)
	}
	silent.noTicketsLeft()
	p.noTicketsLeft()
}

func TestADoorTurnsAwayWhomItDoesNotAdmit(t *testing.T) {
	p := newPorch(t, reactor.Config{}, func(d *reactor.Door) {
		d.Admit = func(netip.AddrPort) (any, bool) { return nil, false }
	})
	line := p.dial()
	if b, err := io.ReadAll(line); len(b) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%q %v", b, err)
	}
	if p.Connections() != 0 {
		t.Errorf("%d connections are counted", p.Connections())
	}
}

func TestADoorRefusesWithAWholeAnswerAndCloses(t *testing.T) {
	var handler atomic.Pointer[http.HandlerFunc]
	p := newPorch(t, reactor.Config{}, func(d *reactor.Door) {
		own := d.Handler
		d.Handler = func(w http.ResponseWriter, r *http.Request, ticket any) {
			if f := handler.Load(); *f != nil {
				(*f)(w, r)
				return
			}
			own(w, r, ticket)
		}
	})
	for _, row := range []struct {
		name    string
		handler func(w http.ResponseWriter, r *http.Request)
		head    string
		status  int
		body    string
	}{
		{"the engine", nil, strings.Replace(handshakeHead, "Version: 13", "Version: 8", 1), 426, "the version of WebSocket must be 13\n"},
		{"the program", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Why", "because")
			http.Error(w, "no", http.StatusForbidden)
		}, handshakeHead, 403, "no\n"},
		{"nobody", func(http.ResponseWriter, *http.Request) {}, handshakeHead, 500, ""},
		{"a panic", func(http.ResponseWriter, *http.Request) { panic("it fails") }, handshakeHead, 500, ""},
		{"too much", func(w http.ResponseWriter, r *http.Request) {
			if _, err := w.Write(make([]byte, 5000)); err == nil {
				t.Error("5,000 bytes were taken")
			}
		}, handshakeHead, 200, ""},
	} {
		f := http.HandlerFunc(row.handler)
		handler.Store(&f)
		line := p.dial()
		p.say(line, row.head)
		reader, answer := p.answered(line, row.status)
		body, err := io.ReadAll(answer.Body)
		if err != nil || row.body != "" && row.handler != nil && string(body) != row.body || !answer.Close {
			t.Errorf("%s: %q %v, closes: %t", row.name, body, err, answer.Close)
		}
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("%s: the line goes on: %v", row.name, err)
		}
	}
}

func TestAShutDoorAcceptsNobodyAndKeepsWhoIsIn(t *testing.T) {
	p := newPorch(t, reactor.Config{}, nil)
	client := dial(t, "ws://"+p.address+"/ws", nil)
	p.stop()
	p.stop()
	if line, err := net.Dial("tcp", p.address); err == nil {
		t.Errorf("accepted at %v", line.RemoteAddr())
	}
	if err := client.Write(t.Context(), websocket.TextMessage, []byte("still")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := client.Read(t.Context()); err != nil || string(got) != "still" {
		t.Fatalf("%q %v", got, err)
	}
}

func TestADoorGoesRoundSoThatFewConnectionsAreSpreadEvenly(t *testing.T) {
	const loops, each = 3, 8
	p := newPorch(t, reactor.Config{Loops: loops}, nil)
	lines := make(map[*reactor.Loop]int)
	for range loops * each {
		dial(t, "ws://"+p.address+"/ws", nil)
		lines[soon(t, p.opened).Loop()]++
	}
	for _, n := range lines {
		if n != each {
			t.Errorf("a loop has %d connections of %d", n, loops*each)
		}
	}
}

// Connections that come together are all taken, however many, and nothing else has to happen for that.
func TestADoorTakesAllThatWait(t *testing.T) {
	for _, loops := range []int{1, 2} {
		p := newPorch(t, reactor.Config{Loops: loops}, nil)
		held, release := make(chan struct{}, loops), make(chan struct{})
		for range loops {
			dial(t, "ws://"+p.address+"/ws", nil)
			loop := soon(t, p.opened).Loop()
			loop.Carry(errand(func(*reactor.Loop) { held <- struct{}{}; <-release }), nil, 0)
			soon(t, held)
		}
		const waiting = 200
		lines := make([]net.Conn, waiting)
		for i := range lines {
			lines[i] = p.dial()
			p.say(lines[i], handshakeHead)
		}
		close(release)
		for _, line := range lines {
			p.answered(line, http.StatusSwitchingProtocols)
		}
	}
}

// A door that is shut while it is on its way from one loop to the next does not stay open.
func TestADoorIsShutWhereverItIs(t *testing.T) {
	for range 50 {
		p := newPorch(t, reactor.Config{Loops: 4}, nil)
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					line, err := net.Dial("tcp", p.address)
					if err != nil {
						return
					}
					io.WriteString(line, handshakeHead)
					line.Close()
				}
			})
		}
		soon(t, p.in)
		p.stop()
		clients.Wait()
		p.Close()
		p.noTicketsLeft()
	}
}

func TestShutdownLetsGoOfThoseThatSaidNothing(t *testing.T) {
	p := newPorch(t, reactor.Config{}, nil)
	silent := p.dial()
	soon(t, p.in)
	client := dial(t, "ws://"+p.address+"/ws", nil)
	ended := make(chan error, 1)
	go func() {
		_, _, err := client.Read(context.Background())
		ended <- err
	}()
	if err := p.Shutdown(t.Context(), websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(silent); len(b) > 0 || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if code := websocket.CloseStatus(<-ended); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d", code)
	}
	p.stop() // after the end it is harmless
	p.noTicketsLeft()
}

// A server that has run out of descriptors leaves connections in the queue, does not spin, and goes on when there are some again.
func TestADoorBacksOffWithoutDescriptors(t *testing.T) {
	p := newPorch(t, reactor.Config{Loops: 1}, nil)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	next, err := os.Open(os.DevNull) // takes the lowest descriptor that is free
	if err != nil {
		t.Fatal(err)
	}
	lowered := limit
	lowered.Cur = uint64(next.Fd()) + 1
	next.Close()
	restore := func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) }
	defer restore()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lowered); err != nil {
		t.Fatal(err)
	}
	line := p.dial() // takes the last one
	p.say(line, handshakeHead)
	line.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := line.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Fatalf("answered without a descriptor: %v", err)
	}
	restore()
	line.SetReadDeadline(time.Time{})
	p.answered(line, http.StatusSwitchingProtocols)
}

func TestADoorLeavesNothingBehind(t *testing.T) {
	p := newPorch(t, reactor.Config{Loops: 1}, nil)
	dial(t, "ws://"+p.address+"/ws", nil)
	loop := soon(t, p.opened).Loop()
	before := descriptors(t)
	for i := range 300 {
		line, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0: // says nothing
			line.Close()
			soon(t, p.gone)
		case 1:
			io.WriteString(line, "GET / HTTP/1.1\r\n\r\n")
			soon(t, p.others).Close()
			line.Close()
		case 2:
			io.WriteString(line, handshakeHead)
			p.answered(line, http.StatusSwitchingProtocols)
			line.Close()
			soon(t, p.closed)
		}
	}
	carryWhenFree(t, loop) // what it told the test of, it has done
	p.noTicketsLeft()
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if p.Connections() != 1 {
		t.Errorf("%d connections are counted", p.Connections())
	}
}
