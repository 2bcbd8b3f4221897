//go:build linux

package reactor_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// deflated is a message that was compressed.
func deflated(t *testing.T, message string) websockettest.Frame {
	t.Helper()
	payload, ok := deflate.NewPool(0, 0).Alone([]byte(message))
	if !ok {
		t.Fatal("does not compress")
	}
	return websockettest.Frame{Fin: true, RSV1: true, Opcode: frame.Text, Payload: payload}
}

// CP-02: while messages are inflated that take long, others have their turn, as do messages that do not; and each connection
// gets its own, whole and in order, with all that came with them.
func TestLargeMessagesHoldUpNobody(t *testing.T) {
	const largeBytes, larges, limit = 3 << 20, 4, 4 << 20 // more than is inflated in a turn
	const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n"
	var mu sync.Mutex
	var order []string // who had a message handed out, and which
	blocked, release := make(chan struct{}), make(chan struct{})
	ends := make(chan error, larges+10)
	r, url := serve(t, reactor.Config{Loops: 1, Handler: reactor.Handler{
		Open: func(turn *reactor.Turn) { turn.SetData(nil) },
		Message: func(turn *reactor.Turn, kind websocket.MessageType, payload []byte) {
			who, named := turn.Data().(string)
			switch {
			case !named: // the first that each says is its name
				turn.SetData(string(payload))
				turn.Send(kind, payload)
				return
			case who == "blocker":
				close(blocked)
				<-release
				return
			}
			what := string(payload[:min(len(payload), 8)])
			if n := strings.Count(string(payload), what[:1]); n == largeBytes {
				what = "large " + what[:1]
			}
			mu.Lock()
			order = append(order, who+" "+what)
			mu.Unlock()
			turn.Send(kind, []byte(what))
		},
		Closed: func(_ *reactor.Turn, err error) { ends <- err },
	}}, &websocket.AcceptOptions{
		PingInterval: -1, Limits: websocket.Limits{MessageBytes: limit}, Compression: websocket.CompressionNoContextTakeover,
	})
	named := func(name, extra string) *websockettest.Peer {
		p := peer(t, url, extra)
		p.Line.SetDeadline(time.Now().Add(30 * time.Second)) // a bound for a hang
		send(t, p, text(name))
		expect(t, p, text(name))
		return p
	}
	blocker, honest := named("blocker", ""), named("honest", "")
	bomb, leaver, brief := named("bomb", offer), named("leaver", offer), named("brief", offer)
	var senders []*websockettest.Peer
	for i := range larges {
		senders = append(senders, named(fmt.Sprint(i), offer))
	}
	send(t, blocker, text("block"))
	<-blocked
	script := []string{"before", "large", "behind", "large", "last"}
	for i, p := range senders {
		large := deflated(t, strings.Repeat(string(rune('a'+i)), largeBytes))
		send(t, p, text("before"), large, text("behind"), large, text("last"))
	}
	send(t, leaver, deflated(t, strings.Repeat("x", largeBytes)))
	leaver.Line.Close()
	send(t, bomb, deflated(t, strings.Repeat("x", 2*limit)), text("never"))
	send(t, honest, text("honest"))
	send(t, brief, deflated(t, strings.Repeat("brief", 100)))
	for _, p := range append(slices.Clone(senders), bomb, honest, brief) {
		awaitArrival(t, p)
	}
	close(release)
	expect(t, honest, text("honest"))
	expect(t, brief, text("briefbri"))
	for _, p := range senders {
		expect(t, p, text("before"))
		send(t, p, text("again")) // comes while it waits
	}
	for i, p := range senders {
		for _, what := range script[1:] {
			if what == "large" {
				what += " " + string(rune('a'+i))
			}
			expect(t, p, text(what))
		}
		expect(t, p, text("again"))
	}
	got, err := bomb.Receive()
	if status, _, _ := frame.DecodeClose(got.Payload); err != nil || status != frame.StatusTooBig {
		t.Errorf("the bomb was answered with %v, %v", got, err)
	}
	for range 2 {
		if code := websocket.CloseStatus(<-ends); code != websocket.StatusMessageTooBig && code != websocket.StatusAbnormalClosure {
			t.Errorf("a connection ended with %d", code)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	first := slices.IndexFunc(order, func(s string) bool { return strings.Contains(s, "large") })
	for _, s := range []string{"honest honest", "brief briefbri"} {
		if n := slices.Index(order, s); n < 0 || n > first {
			t.Errorf("%q came after what took long: %q", s, order)
		}
	}
	// One at a time, each in its turn: nobody's second before another's first.
	last, second := 0, len(order)
	for i := range larges {
		large := fmt.Sprintf("%d large %c", i, 'a'+i)
		one := slices.Index(order, large)
		last = max(last, one)
		second = min(second, one+1+slices.Index(order[one+1:], large))
	}
	if last > second {
		t.Errorf("one had two turns before another had one: %q", order)
	}
	for _, held := range r.Held() {
		if !strings.Contains(held, " 0 unread, 0 inflating, ") {
			t.Errorf("held: %s", held)
		}
	}
}
