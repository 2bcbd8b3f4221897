//go:build linux

package reactor_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"

	"golang.org/x/sys/unix"
)

// attached returns the peer's end of a socket whose other end, with the smallest
// buffer there is, a reactor serves. Unlike TCP's, such a socket has no timers that a test waits for.
func attached(t testing.TB, r *reactor.Reactor) net.Conn {
	t.Helper()
	peer, line := socketPair(t)
	line.SetWriteBuffer(1)
	config := endpoint.Config{}.Defaults()
	if err := r.Attach(line, &config, nil, nil); err != nil {
		t.Fatal(err)
	}
	return peer
}

// socketPair returns both ends of a socket without an address. The peer's is closed when the test ends.
func socketPair(t testing.TB) (peer, line *net.UnixConn) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range pair {
		file := os.NewFile(uintptr(fd), "socket")
		end, err := net.FileConn(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = end.(*net.UnixConn)
	}
	t.Cleanup(func() { ends[0].Close() })
	return ends[0], ends[1]
}

// Output leaves whole and in order however little of it the socket takes at a time.
func TestPartialWrites(t *testing.T) {
	drained := make(chan int, 1000)
	r, err := reactor.New(reactor.Config{Loops: 1, Handler: reactor.Handler{
		Message: echo,
		Drained: func(t *reactor.Turn) { drained <- t.Queued() },
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	line := attached(t, r)
	random := rand.New(rand.NewPCG(1, 2))
	var sent []websockettest.Frame
	var wire, want []byte
	for len(wire) < 600<<10 {
		f := websockettest.Fin(frame.Binary, strings.Repeat(string(rune('a'+len(sent)%26)), random.IntN(20000)))
		sent = append(sent, f)
		wire = f.Append(wire, true)
		want = f.Append(want, false)
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { line.Write(wire) })
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		n, err := line.Read(got[len(got):min(len(got)+1+random.IntN(3000), len(want))])
		got = got[:len(got)+n]
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the echo differs")
	}
	if queued := <-drained; queued != 0 {
		t.Fatalf("drained with %d bytes", queued)
	}
}

// A peer that does not read ends with ErrSlow once its queue is full; its neighbour notices nothing.
func TestSlowReaderIsGivenUp(t *testing.T) {
	closed := make(chan error, 2)
	conns := make(chan reactor.Conn, 2)
	r, err := reactor.New(reactor.Config{Loops: 1, QueueBytesMax: 100 << 10, Handler: reactor.Handler{
		Open:    func(t *reactor.Turn) { conns <- t.Conn() },
		Message: echo,
		Closed:  func(_ *reactor.Turn, err error) { closed <- err },
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	attached(t, r)
	slow := <-conns
	neighbour := attached(t, r)
	<-conns
	payload := make([]byte, 10<<10)
	for sent := 0; slow.Send(websocket.BinaryMessage, payload) == nil; sent += len(payload) {
		if sent > 4<<20 { // far more than the queue and the socket hold
			t.Fatal("the queue has no limit")
		}
		neighbour.Write(websockettest.Fin(frame.Text, "ok").Append(nil, true))
		answer := make([]byte, 4)
		if n, err := neighbour.Read(answer); err != nil || string(answer[2:n]) != "ok" {
			t.Fatal(err)
		}
		select {
		case err := <-closed:
			if !errors.Is(err, reactor.ErrSlow) || websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

// A peer that asks for more than it reads is not read either, and gets everything in the end.
func TestReadingStopsWhileOutputWaits(t *testing.T) {
	r, err := reactor.New(reactor.Config{Loops: 1, QueueBytesMax: 512 << 10, Handler: reactor.Handler{Message: echo}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	line := attached(t, r) // takes less in a turn than it brings
	f := websockettest.Fin(frame.Binary, strings.Repeat("x", 128<<10))
	const messages = 64 // 8 MiB together, far beyond the queue
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		wire := f.Append(nil, true)
		for range messages {
			line.Write(wire)
		}
	})
	want := f.Append(nil, false)
	got := make([]byte, len(want))
	for range messages {
		if _, err := io.ReadFull(line, got); err != nil || !bytes.Equal(got, want) {
			t.Fatal(err)
		}
	}
}

// While one connection floods, those beside it on the same loop are served.
func TestFloodDoesNotStarveNeighbours(t *testing.T) {
	_, url := serve(t, reactor.Config{Loops: 1, Handler: reactor.Handler{
		Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
			if kind == websocket.TextMessage {
				t.Send(kind, payload)
			}
		},
	}}, nil)
	flooder, honest := peer(t, url, ""), peer(t, url, "")
	var flooding sync.WaitGroup
	wire := bytes.Repeat(websockettest.Fin(frame.Binary, "").Append(nil, true), 100000)
	flooding.Go(func() {
		for {
			if _, err := flooder.Line.Write(wire); err != nil {
				return
			}
		}
	})
	for range 200 {
		send(t, honest, text("hello"))
		expect(t, honest, text("hello"))
	}
	flooder.Line.Close()
	flooding.Wait()
}

// Connections of all endings leave no descriptor and no entry behind.
func TestManyLivesLeaveNothing(t *testing.T) {
	const lives, atOnce = 4000, 8
	r, err := reactor.New(reactor.Config{Handler: reactor.Handler{Message: echo}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var upgrading sync.WaitGroup // begun before the client has its answer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		upgrading.Add(1)
		defer upgrading.Done()
		r.Upgrade(w, req, nil, nil)
	}))
	defer server.Close()
	url := server.URL
	live(t, url, 0)
	upgrading.Wait()
	before := descriptors(t)
	var running sync.WaitGroup
	for worker := range atOnce {
		running.Go(func() {
			for i := range lives / atOnce {
				live(t, url, i+worker)
			}
		})
	}
	running.Wait()
	upgrading.Wait()
	if err := r.Shutdown(t.Context(), websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	if n := r.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// live is one connection from its beginning to one of several ends.
func live(t testing.TB, url string, way int) {
	line, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Error(err)
		return
	}
	defer line.Close()
	p, err := websockettest.ClientPeer(line, "")
	if err != nil {
		t.Error(err)
		return
	}
	line.(*net.TCPConn).SetLinger(0)
	switch way % 4 {
	case 0:
		p.Send(text("hi"), websockettest.CloseFrame(1000, ""))
		p.Receive()
		p.Receive()
		p.Receive()
	case 1:
		p.Send(text("hi")) // and gone
	case 2:
		line.Write([]byte{0x81, 0x85, 0}) // gone inside a frame
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A peer that takes nothing for the write timeout is given up, however little waits for it.
func TestWriteTimeout(t *testing.T) {
	closed := make(chan error, 1)
	_, url := serve(t, reactor.Config{Loops: 1, QueueBytesMax: 1 << 30, Handler: reactor.Handler{
		Message: func(t *reactor.Turn, kind websocket.MessageType, _ []byte) { t.Send(kind, make([]byte, 64<<20)) },
		Closed:  func(_ *reactor.Turn, err error) { closed <- err },
	}}, &websocket.AcceptOptions{WriteTimeout: 250 * time.Millisecond})
	send(t, peer(t, url, ""), text("more than any socket takes"))
	if err := <-closed; !errors.Is(err, reactor.ErrSlow) {
		t.Fatal(err)
	}
}
