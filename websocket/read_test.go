package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// A Read whose context ends leaves the connection, and a message that has come
// in part, as they are.
func TestReadContextEnds(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	wire := peer.Encode(begin(frame.Text, "Hello, "), finish("world"))
	for i, c := range wire {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, _, err := engine.Read(ctx)
			done <- err
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || websocket.CloseStatus(err) != 0 {
			t.Fatalf("before byte %d: %v", i, err)
		}
		peer.Line.Write([]byte{c})
	}
	kind, message, err := engine.Read(t.Context())
	if err != nil || kind != websocket.TextMessage || string(message) != "Hello, world" {
		t.Fatalf("got %v %q, %v", kind, message, err)
	}
}

// RFC 6455 5.5.3: a ping is answered while nothing else comes, and while only a part of a message has.
func TestPingsAreAnsweredBetweenMessages(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	peer.Line.SetDeadline(time.Now().Add(20 * time.Second)) // a bound for a hang
	ended := make(chan error, 1)
	go func() {
		_, _, err := engine.Read(t.Context())
		ended <- err
	}()
	peer.Send(ping("alone"))
	expect(t, peer, pong("alone"))
	wire := peer.Encode(ping("before"), text("a"))
	peer.Line.Write(wire[:len(wire)-1])
	expect(t, peer, pong("before"))
	engine.CloseNow()
	<-ended
}

func TestReadIntoReusesMemory(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	peer.Send(binary("12345678"), binary("abc"), binary(strings.Repeat("x", 100)))
	buf := make([]byte, 3, 16)
	for _, want := range []string{"12345678", "abc", strings.Repeat("x", 100)} {
		_, got, err := engine.ReadInto(t.Context(), buf)
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
		if same := &got[0] == &buf[:1][0]; same != (len(want) <= 16) {
			t.Errorf("%d bytes in the caller's memory: %v", len(want), same)
		}
	}
}

// What Read returned stays the caller's, whatever comes after it.
func TestReadOwnsItsMemory(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	first := strings.Repeat("first", 1000)
	peer.Send(text(first), text(strings.Repeat("other", 1000)))
	_, got, err := engine.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := engine.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if string(got) != first {
		t.Error("the first message has changed")
	}
}

func TestReader(t *testing.T) {
	server, client := ws.Pipe(t, nil, nil)
	payload := strings.Repeat("streams of text, ", 10000)
	go func() {
		client.Write(t.Context(), websocket.TextMessage, []byte(payload))
		client.Write(t.Context(), websocket.BinaryMessage, nil)
		client.Write(t.Context(), websocket.BinaryMessage, []byte("whole"))
	}()
	kind, r, err := server.Reader(t.Context())
	if err != nil || kind != websocket.TextMessage {
		t.Fatal(kind, err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != payload {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	kind, empty, err := server.Reader(t.Context())
	if got, _ := io.ReadAll(empty); err != nil || kind != websocket.BinaryMessage || len(got) != 0 {
		t.Errorf("empty message: %v, %q, %v", kind, got, err)
	}
	if _, message, err := server.Read(t.Context()); err != nil || string(message) != "whole" {
		t.Errorf("Read after Reader: %q, %v", message, err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.ErrClosedPipe {
		t.Errorf("the reader of an earlier message: %v", err)
	}
}

// What a Reader has not read is skipped, by Reader and by Read.
func TestReaderLeftEarly(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	for range 2 {
		peer.Send(begin(frame.Text, "ab"), goOn("cd"), ping("p"), finish("ef"), text("next"))
	}
	byte1 := make([]byte, 1)
	_, r, err := engine.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Read(byte1)
	kind, next, err := engine.Reader(t.Context())
	if err != nil || kind != websocket.TextMessage {
		t.Fatal(kind, err)
	}
	if got, err := io.ReadAll(next); string(got) != "next" || err != nil {
		t.Fatalf("Reader: %q, %v", got, err)
	}
	_, r, err = engine.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Read(byte1)
	if _, got, err := engine.Read(t.Context()); string(got) != "next" || err != nil {
		t.Fatalf("Read: %q, %v", got, err)
	}
}

// A stream is handed out as it comes, before its message has ended.
func TestReaderDoesNotWait(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	peer.Send(begin(frame.Binary, "first"))
	_, r, err := engine.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	if n, err := r.Read(buf); err != nil || string(buf[:n]) != "first" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	peer.Line.Write(peer.Encode(finish("second"))[:9])
	if n, err := r.Read(buf); err != nil || string(buf[:n]) != "sec" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
}

// After the end every method says how it came.
func TestAfterTheEnd(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	peer.Send(ws.CloseFrame(4001, "bye"))
	go func() {
		peer.Receive()
		peer.Line.Close()
	}()
	check := func(what string, err error) {
		t.Helper()
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "bye" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range 2 {
		_, _, err := engine.Read(t.Context())
		check("Read", err)
	}
	_, _, err := engine.Reader(t.Context())
	check("Reader", err)
	check("Write", engine.Write(t.Context(), websocket.TextMessage, nil))
	check("Ping", engine.Ping(t.Context()))
	check("Close", engine.Close(1000, ""))
	_, err = engine.Writer(t.Context(), websocket.TextMessage)
	check("Writer", err)
	if err := engine.CloseNow(); err != nil {
		t.Error(err)
	}
}

// FR-17: a line that ends without a close frame is an abnormal closure, and says why.
func TestLineEnds(t *testing.T) {
	for name, ends := range map[string]func(*ws.Line){
		"FIN": func(l *ws.Line) { l.Close() },
		"RST": func(l *ws.Line) { l.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			peer, engine := asServer(t, nil, "")
			peer.Send(begin(frame.Text, "half"))
			ends(peer.Line.(*ws.Line))
			_, message, err := engine.Read(t.Context())
			if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || len(message) != 0 {
				t.Errorf("got %q, %v", message, err)
			}
			if want := map[string]error{"FIN": io.EOF, "RST": ws.ErrReset}[name]; !errors.Is(err, want) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// A context that is used for all reads is watched once.
func TestReadAllocations(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	buf := make([]byte, 0, 64)
	wire := peer.Encode(text("message"))
	var err error
	got := testing.AllocsPerRun(200, func() {
		peer.Line.Write(wire)
		var message []byte
		if _, message, err = engine.ReadInto(ctx, buf); err != nil || !bytes.Equal(message, []byte("message")) {
			t.Fatal(err)
		}
	})
	if got > 3 { // the line in memory makes a channel a write and a read
		t.Errorf("%v allocations a message", got)
	}
}
