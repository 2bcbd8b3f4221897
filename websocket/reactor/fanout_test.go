//go:build linux

package reactor_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// What a blocked line is passed comes after what waits for its peer.
func TestABlockedLineGetsAFanOutInOrder(t *testing.T) {
	opened, url := crew(t, reactor.Config{Loops: 1, QueueBytesMax: 64 << 20}, nil)
	slow := peer(t, url, "")
	conn := <-opened
	big := make([]byte, 64<<10)
	blocked, sent, got := false, 0, 0
	receive := func(want []byte) bool {
		message, err := slow.Receive()
		if err != nil || !bytes.Equal(message.Payload, want) {
			t.Errorf("message %d: %d bytes, %v", got, len(message.Payload), err)
			return false
		}
		got++
		return true
	}
	for !blocked { // until the buffers of the system are full
		carry(t, conn.Loop(), func(l *reactor.Loop) {
			l.Send(conn, websocket.BinaryMessage, big)
			l.Flush(conn)
			sent++
			blocked = l.Blocked(conn)
		})
	}
	carry(t, conn.Loop(), func(l *reactor.Loop) {
		l.Pass(conn, l.Frame(websocket.TextMessage, []byte("passed")))
		for got < sent/2 && receive(big) { // the system has room again, and the loop has not been told
		}
	})
	for got < sent && receive(big) {
	}
	if !t.Failed() {
		receive([]byte("passed"))
	}
}

// A line that ends between the two passes of a fan-out, and one that gets its place in the table, are sent nothing that is not theirs.
func TestALineThatEndsDuringAFanOut(t *testing.T) {
	closed := make(chan struct{}, 3)
	opened, url := crew(t, reactor.Config{Loops: 1, Handler: reactor.Handler{Closed: func(*reactor.Turn, error) { closed <- struct{}{} }}}, nil)
	ending := peer(t, url, "")
	gone := <-opened
	staying := dial(t, url, nil)
	there := <-opened
	loop := gone.Loop()
	held, release := make(chan struct{}), make(chan struct{})
	loop.Carry(errand(func(*reactor.Loop) { close(held); <-release }), nil, 0)
	<-held
	for i := range 3 { // all in one turn
		loop.Carry(errand(func(l *reactor.Loop) {
			f := l.Frame(websocket.TextMessage, fmt.Append(nil, i))
			l.Pass(gone, f)
			l.Pass(there, f)
		}), nil, 0)
		if i == 1 {
			gone.Do(func(t *reactor.Turn) { t.CloseNow() })
		}
	}
	close(release)
	<-closed
	if got, err := ending.Receive(); err == nil {
		t.Errorf("the line that was ended got %q", got.Payload)
	}
	next := dial(t, url, nil)
	<-opened
	for i := range 3 {
		if _, got, err := staying.Read(t.Context()); err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("message %d: %q %v", i, got, err)
		}
	}
	if err := next.Write(t.Context(), websocket.TextMessage, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := next.Read(t.Context()); err != nil || string(got) != "mine" {
		t.Fatalf("%q %v", got, err)
	}
}
