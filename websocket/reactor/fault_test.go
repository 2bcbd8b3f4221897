//go:build linux && race

package reactor_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/internal/rawsocket"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// A street is a reactor with one loop, one neighbour that talks all the time, and a way for others to come.
type street struct {
	*reactor.Reactor
	t         *testing.T
	patience  time.Duration // that a line has for its peer at the end
	neighbour net.Conn
	spared    sync.Map // descriptors of the neighbour, which no fault meets
	arrive    func(data *resident) net.Conn
	answers   int32 // writes of the reactor before the conversation, which no new socket takes in parts
}

// A resident is what the program knows of a connection.
type resident struct {
	opened, closed atomic.Int32
	gone           chan struct{} // closed with it

	// Owned by the loop until it is gone.
	heard []string
	err   error
}

// ways are how a connection can come to a reactor.
var ways = map[string]func(*street){
	"attached": func(s *street) {
		s.arrive = func(data *resident) net.Conn { return s.attach(data) }
	},
	"upgraded": func(s *street) {
		residents := make(chan *resident, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.Upgrade(w, r, s.options(), <-residents)
		}))
		s.t.Cleanup(server.Close)
		s.arrive = func(data *resident) net.Conn {
			residents <- data
			return s.dial(server.Listener.Addr().String())
		}
	},
	"accepted": func(s *street) {
		s.answers = 1
		residents := make(chan *resident, 1)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		stop, err := s.Serve(listener, reactor.Door{
			Path:    "/ws",
			Handler: func(w http.ResponseWriter, r *http.Request, ticket any) { s.Upgrade(w, r, s.options(), ticket) },
			Other:   func(line net.Conn, _ any) { line.Close() },
			Admit:   func(netip.AddrPort) (any, bool) { return <-residents, true },
			Gone:    func(ticket any) { close(ticket.(*resident).gone) },
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(stop)
		s.arrive = func(data *resident) net.Conn {
			for len(residents) > 0 { // of a connection that was never accepted
				<-residents
			}
			residents <- data
			return s.dial(listener.Addr().String())
		}
	},
}

// options have a line wait for its peer at the end for as long as the test says: where it need not wait, so long that a machine that
// is busy otherwise does not exhaust it.
func (s *street) options() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{CloseTimeout: s.patience, PingInterval: -1}
}

// newStreet makes one whose neighbour has been heard.
func newStreet(t *testing.T, way func(*street), patience time.Duration) *street {
	s := &street{t: t, patience: patience}
	var err error
	s.Reactor, err = reactor.New(reactor.Config{Loops: 1, Logger: textLogger(noPanic{t}), Handler: reactor.Handler{
		Open: func(turn *reactor.Turn) { turn.Data().(*resident).opened.Add(1) },
		Message: func(turn *reactor.Turn, kind websocket.MessageType, payload []byte) {
			r := turn.Data().(*resident)
			r.heard = append(r.heard, string(payload))
			turn.Send(kind, payload)
		},
		Closed: func(turn *reactor.Turn, err error) {
			if r := turn.Data().(*resident); r.closed.Add(1) == 1 {
				r.err = err
				close(r.gone)
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	t.Cleanup(func() { rawsocket.SetFault(nil) })
	s.neighbour = s.attach(&resident{gone: make(chan struct{})})
	rawsocket.SetFault(func(call string, fd uintptr, size int) (int, syscall.Errno) {
		if call == "recvfrom" {
			s.spared.Store(fd, true)
		}
		return size, 0
	})
	s.greet()
	rawsocket.SetFault(nil)
	way(s)
	s.converse(nil) // what is opened once is open
	return s
}

// noPanic is a log in which no panic may stand.
type noPanic struct{ t *testing.T }

func (l noPanic) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("panic")) {
		l.t.Errorf("%.2000s", p)
	}
	return len(p), nil
}

// attach brings the other end of a socket to the reactor. It takes little at a time.
func (s *street) attach(data *resident) net.Conn {
	peer, line := socketPair(s.t)
	line.SetWriteBuffer(1)
	config := endpoint.Config{CloseTimeout: s.patience, PingInterval: -1}.Defaults()
	if err := s.Attach(line, &config, nil, data); err != nil {
		close(data.gone)
	}
	return peer
}

// dial connects and shakes hands; what comes of that is seen by who reads.
func (s *street) dial(address string) net.Conn {
	line, err := net.Dial("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	io.WriteString(line, handshakeHead)
	return line
}

// greet exchanges a message with the neighbour.
func (s *street) greet() {
	s.t.Helper()
	s.neighbour.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang
	hello := text("neighbour")
	s.neighbour.Write(hello.Append(nil, true))
	want := hello.Append(nil, false)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s.neighbour, got); err != nil || !bytes.Equal(got, want) {
		s.t.Fatalf("the neighbour gets %q, %v", got, err)
	}
}

// A conversation is what became of one.
type conversation struct {
	*resident
	read []byte // by the peer
}

// allFrames is a conversation with all kinds of frame.
var allFrames = []websockettest.Frame{
	text("first"), websockettest.Fin(frame.Ping, "p"), websockettest.More(frame.Text, "he"), websockettest.Fin(frame.Pong, "unasked"),
	websockettest.Fin(frame.Continuation, "llo"), websockettest.Fin(frame.Binary, strings.Repeat("x", 9000)), text(""), text("last"),
	websockettest.CloseFrame(1000, "bye"),
}

// allMessages are those in it.
var allMessages = []string{"first", "hello", strings.Repeat("x", 9000), "", "last"}

// converse has a connection come, talk and go while faults happen, and the neighbour talk meanwhile.
func (s *street) converse(fault rawsocket.Fault) *conversation {
	s.t.Helper()
	if fault != nil {
		rawsocket.SetFault(func(call string, fd uintptr, size int) (int, syscall.Errno) {
			if _, spared := s.spared.Load(fd); spared && call != "epoll_pwait" {
				return size, 0
			}
			return fault(call, fd, size)
		})
	}
	c := &conversation{resident: &resident{gone: make(chan struct{})}}
	line := s.arrive(c.resident)
	line.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang
	var reading sync.WaitGroup
	reading.Go(func() { c.read, _ = io.ReadAll(line) })
	for _, f := range allFrames {
		line.Write(f.Append(nil, true))
		s.greet() // and the loop has had a turn for each
	}
	reading.Wait()
	line.Close()
	s.greet()
	s.await(func() bool { return s.Connections() == 1 })
	rawsocket.SetFault(nil)
	if c.opened.Load() > 0 {
		<-c.gone
	}
	return c
}

// await polls what nobody tells of.
func (s *street) await(done func() bool) {
	s.t.Helper()
	for range 60_000 {
		if done() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	s.t.Fatalf("a connection is left: %v", s.Held())
}

// check wants that nothing but a beginning was heard and read, and that nothing is left.
func (s *street) check(c *conversation, want []byte, descriptorsBefore int, complete bool) {
	s.t.Helper()
	if opened, closed := c.opened.Load(), c.closed.Load(); opened != closed || opened > 1 {
		s.t.Errorf("opened %d times, closed %d times", opened, closed)
	}
	if len(c.heard) > len(allMessages) || !slices.Equal(c.heard, allMessages[:len(c.heard)]) {
		s.t.Errorf("heard %.200q", c.heard)
	}
	if !bytes.HasPrefix(want, c.read) {
		s.t.Errorf("the peer reads %.200q", c.read)
	}
	if complete && (len(c.read) != len(want) || websocket.CloseStatus(c.err) != websocket.StatusNormalClosure) {
		s.t.Errorf("the peer reads %d bytes of %d, and the program gets %v", len(c.read), len(want), c.err)
	}
	const nothing = "1 lines, 0 buffers lent, 0 queues, 0 unread, 0 inflating, 0 doomed, 0 members, false in the wheel"
	s.await(func() bool { return s.Held()[0] == nothing && descriptors(s.t) <= descriptorsBefore })
}

// mishaps are errors by the calls that can fail with them, and whether the conversation then goes on.
var mishaps = []struct {
	errno    syscall.Errno
	calls    string
	complete bool
}{
	{syscall.EINTR, "recvfrom sendto accept4 epoll_pwait", true},
	{syscall.EAGAIN, "sendto", true},
	{syscall.EAGAIN, "accept4", true},
	{syscall.ECONNABORTED, "accept4", true},
	{syscall.EMFILE, "accept4", true},
	{syscall.EMFILE, "fcntl", false},
	{syscall.ENOMEM, "setsockopt close shutdown", true},
	{syscall.ENOMEM, "epoll_ctl", false},
	{syscall.ENOBUFS, "sendto recvfrom", false},
	{syscall.ECONNRESET, "sendto recvfrom", false},
	{syscall.EPIPE, "sendto", false},
	{syscall.ETIMEDOUT, "sendto recvfrom", false},
}

// FL-14 over the reactor: each system call fails in turn, in each way that it can.
func TestEverySystemCallFails(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t, way, time.Second)
			want, before := s.converse(nil).read, descriptors(t)
			for _, m := range mishaps {
				met := 0
				from := int32(1)
				if m.errno == syscall.EAGAIN {
					from += s.answers
				}
				for n := from; ; n++ {
					var left atomic.Int32
					left.Store(n)
					c := s.converse(func(call string, fd uintptr, size int) (int, syscall.Errno) {
						if !strings.Contains(m.calls, call) || left.Add(-1) != 0 {
							return size, 0
						}
						if call == "sendto" && m.errno == syscall.EAGAIN {
							// The system would tell when there is room again.
							syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1)
						}
						return 0, m.errno
					})
					s.check(c, want, before, m.complete)
					if m.calls == "epoll_ctl" && websocket.CloseStatus(c.err) == websocket.StatusNormalClosure && len(c.read) < len(want) {
						t.Errorf("the peer reads %d bytes of %d, and nobody is told", len(c.read), len(want))
					}
					if t.Failed() {
						t.Fatalf("call %d of %s failed with %v", n, m.calls, m.errno)
					}
					if left.Load() > 0 {
						break
					}
					met++
				}
				t.Logf("%v of %s: %d times", m.errno, m.calls, met)
				if met == 0 && !strings.Contains("accept4 fcntl", m.calls) {
					t.Errorf("%s was not called", m.calls)
				}
			}
		})
	}
}

// FL-09 over the reactor: from the nth on the system takes one byte of each write, or three.
func TestEveryWriteIsShort(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t, way, time.Minute)
			want, before := s.converse(nil).read, descriptors(t)
			for _, taken := range []int{1, 3} {
				for n := s.answers; ; n++ {
					var left atomic.Int32
					left.Store(n)
					c := s.converse(func(call string, _ uintptr, size int) (int, syscall.Errno) {
						if call == "sendto" && left.Add(-1) < 0 {
							return min(size, taken), 0
						}
						return size, 0
					})
					s.check(c, want, before, true)
					if t.Failed() {
						t.Fatalf("from write %d on", n)
					}
					if left.Load() >= 0 {
						break
					}
				}
			}
		})
	}
}

// G4 over the reactor: the line is cut after every byte that it sends.
func TestCutOutgoing(t *testing.T) {
	s := newStreet(t, ways["attached"], time.Second)
	want, before := s.converse(nil).read, descriptors(t)
	for at := 0; at < len(want); at++ {
		if at == 100 {
			at = len(want) - 100 // inside of the large payload all places are alike
		}
		var left atomic.Int64
		left.Store(int64(at))
		c := s.converse(func(call string, _ uintptr, size int) (int, syscall.Errno) {
			if call != "sendto" {
				return size, 0
			}
			rest := left.Add(-int64(size)) + int64(size)
			if rest <= 0 {
				return 0, syscall.ECONNRESET
			}
			return min(size, int(rest)), 0
		})
		s.check(c, want, before, false)
		if len(c.read) > at {
			t.Errorf("%d bytes got through", len(c.read))
		}
		if t.Failed() {
			t.Fatal(fmt.Sprintf("cut at %d", at))
		}
	}
}
