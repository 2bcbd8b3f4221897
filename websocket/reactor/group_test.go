//go:build linux

package reactor_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// hall is a reactor in which a connection says "+name" and "-name" to join and leave
// a group. Each is answered, so that a test knows when it has happened.
type hall struct {
	*reactor.Reactor
	url    string
	groups map[string]*reactor.Group
}

func newHall(t testing.TB, loops int, opts *websocket.AcceptOptions) *hall {
	h := &hall{groups: make(map[string]*reactor.Group)}
	h.Reactor, h.url = serve(t, reactor.Config{Loops: loops, Handler: reactor.Handler{
		Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
			group := h.groups[string(payload[1:])]
			if payload[0] == '+' {
				t.Join(group)
			} else {
				t.Leave(group)
			}
			t.Send(kind, payload)
		},
	}}, opts)
	for _, name := range []string{"a", "b"} {
		h.groups[name] = h.NewGroup()
	}
	return h
}

func (h *hall) broadcast(t testing.TB, group, text string) {
	t.Helper()
	message, err := reactor.Prepare(websocket.TextMessage, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.groups[group].Broadcast(message); err != nil {
		t.Fatal(err)
	}
}

func text(s string) websockettest.Frame { return websockettest.Fin(frame.Text, s) }

func TestMembersGetWhatIsBroadcast(t *testing.T) {
	h := newHall(t, 2, nil)
	var peers []*websockettest.Peer
	for i := range 6 { // those of an even number are in a, those of a multiple of three in b
		p := peer(t, h.url, "")
		peers = append(peers, p)
		if i%2 == 0 {
			send(t, p, text("+a"), text("+a"))
			expect(t, p, text("+a"), text("+a"))
		}
		if i%3 == 0 {
			send(t, p, text("+b"))
			expect(t, p, text("+b"))
		}
	}
	if a, b := h.groups["a"].Len(), h.groups["b"].Len(); a != 3 || b != 2 {
		t.Fatalf("%d and %d members", a, b)
	}
	for i := range 3 {
		h.broadcast(t, "a", fmt.Sprint("a", i))
		h.broadcast(t, "b", fmt.Sprint("b", i))
	}
	expect(t, peers[0], text("a0"), text("b0"), text("a1"), text("b1"), text("a2"), text("b2"))
	expect(t, peers[2], text("a0"), text("a1"), text("a2"))
	expect(t, peers[3], text("b0"), text("b1"), text("b2"))

	send(t, peers[0], text("-a"))
	expect(t, peers[0], text("-a"))
	send(t, peers[4], websockettest.CloseFrame(1000, ""))
	expect(t, peers[4], text("a0"), text("a1"), text("a2"), websockettest.CloseFrame(1000, ""))
	h.broadcast(t, "a", "last a")
	h.broadcast(t, "b", "last b")
	expect(t, peers[0], text("last b"))
	expect(t, peers[2], text("last a"))
	expect(t, peers[3], text("last b"))
	send(t, peers[1], text("+b")) // the first it hears of anything
	expect(t, peers[1], text("+b"))
	if a, b := h.groups["a"].Len(), h.groups["b"].Len(); a != 1 || b != 3 {
		t.Fatalf("%d and %d members at the end", a, b)
	}
}

func TestBroadcastIsCompressedForThoseThatAgreed(t *testing.T) {
	opts := &websocket.AcceptOptions{Compression: websocket.CompressionContextTakeover}
	h := newHall(t, 1, opts)
	plain := dial(t, h.url, nil)
	small := dial(t, h.url, &websocket.DialOptions{Compression: websocket.CompressionContextTakeover})
	long := strings.Repeat("ding dong ", 100)
	for _, conn := range []*websocket.Conn{plain, small} {
		if err := conn.Write(t.Context(), websocket.TextMessage, []byte("+a")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"short", long, long, "short"}
	for _, text := range want {
		h.broadcast(t, "a", text)
	}
	for _, conn := range []*websocket.Conn{plain, small} {
		for _, want := range want {
			_, got, err := conn.Read(t.Context())
			if err != nil || string(got) != want {
				t.Fatalf("got %q, %v", got, err)
			}
		}
	}
}

// All connections, on all loops, see the messages of a group in one order.
func TestBroadcastsOfManyGoroutinesHaveOneOrder(t *testing.T) {
	const publishers, each = 4, 200
	h := newHall(t, 3, nil)
	var peers []*websockettest.Peer
	for range 7 {
		p := peer(t, h.url, "")
		send(t, p, text("+a"))
		expect(t, p, text("+a"))
		peers = append(peers, p)
	}
	var publishing sync.WaitGroup
	for i := range publishers {
		publishing.Go(func() {
			for n := range each {
				h.broadcast(t, "a", fmt.Sprint(i, ":", n))
			}
		})
	}
	var first []string
	for i, p := range peers {
		var got []string
		for range publishers * each {
			f, err := p.Receive()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(f.Payload))
		}
		if i == 0 {
			first = got
		} else if strings.Join(got, " ") != strings.Join(first, " ") {
			t.Fatal("two connections saw different orders")
		}
	}
	publishing.Wait()
	last := make(map[string]int)
	for _, message := range first {
		publisher, number, _ := strings.Cut(message, ":")
		var n int
		fmt.Sscan(number, &n)
		if n != last[publisher] {
			t.Fatalf("of publisher %s came %d, want %d", publisher, n, last[publisher])
		}
		last[publisher]++
	}
}

func TestBroadcastFailsWhenTheInboxIsFull(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{})
	var group *reactor.Group
	r, url := serve(t, reactor.Config{Loops: 1, InboxMax: 2, Handler: reactor.Handler{
		Open: func(t *reactor.Turn) { t.Join(group) },
		Message: func(t *reactor.Turn, _ websocket.MessageType, _ []byte) {
			close(entered)
			<-release
		},
	}}, nil)
	group = r.NewGroup()
	p := peer(t, url, "")
	send(t, p, text("block"))
	<-entered
	message, _ := reactor.Prepare(websocket.TextMessage, []byte("one of two"))
	for range 2 {
		if err := group.Broadcast(message); err != nil {
			t.Error(err)
		}
	}
	if err := group.Broadcast(message); err != reactor.ErrBusy {
		t.Error(err)
	}
	close(release)
	expect(t, p, text("one of two"), text("one of two"))
}
