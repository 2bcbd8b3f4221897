package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// echoServed is echo by Serve.
func echoServed(ctx context.Context, conn *websocket.Conn) error {
	return conn.Serve(ctx, func(t *websocket.Turn, kind websocket.MessageType, payload []byte) error {
		return t.Send(kind, payload)
	})
}

// served runs Serve until it returns.
func served(ctx context.Context, conn *websocket.Conn, handle func(*websocket.Turn, string) error) chan error {
	ended := make(chan error, 1)
	go func() {
		ended <- conn.Serve(ctx, func(t *websocket.Turn, _ websocket.MessageType, payload []byte) error {
			return handle(t, string(payload))
		})
	}()
	return ended
}

// expect receives frames from the engine.
func expect(t *testing.T, peer *ws.Peer, want ...ws.Frame) {
	t.Helper()
	for _, want := range want {
		if got, err := peer.Receive(); err != nil || !got.Equal(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
}

func TestServeAnswersTogether(t *testing.T) {
	peer, engine, line := counted(t, nil, "")
	ended := make(chan error, 1)
	go func() { ended <- echoServed(t.Context(), engine) }()
	frames := []ws.Frame{text("a"), ping("p"), binary(strings.Repeat("b", 1000)), begin(frame.Text, "c"), finish("d"), text("")}
	answers := []ws.Frame{text("a"), pong("p"), binary(strings.Repeat("b", 1000)), text("cd"), text("")}
	for n := range int32(3) {
		peer.Send(frames...)
		expect(t, peer, answers...)
		if got := line.writes.Load(); got != n+1 {
			t.Fatalf("%d writes for %d packets", got, n+1)
		}
	}
	peer.Send(text("last"), ws.CloseFrame(1000, ""))
	expect(t, peer, text("last"), ws.CloseFrame(1000, ""))
	peer.Line.Close()
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Error(err)
	}
	if got := line.writes.Load(); got != 4 {
		t.Errorf("%d writes", got)
	}
}

// A line that is no socket is waited for with a small buffer, and one that brings much is read with a larger one.
func TestServeWaitsWithASmallBuffer(t *testing.T) {
	const small = 4 << 10
	peer, engine, line := counted(t, nil, "")
	var rooms []int32
	ended := served(t.Context(), engine, func(t *websocket.Turn, message string) error {
		rooms = append(rooms, line.room.Load())
		return t.Send(websocket.TextMessage, []byte("got it"))
	})
	for _, bytes := range []int{1, 2 * small, 1} {
		peer.Send(text(strings.Repeat("x", bytes)))
		expect(t, peer, text("got it"))
	}
	peer.Line.Close()
	<-ended
	if len(rooms) != 3 || rooms[0] != small || rooms[1] <= small || rooms[2] != small {
		t.Errorf("room for %v bytes", rooms)
	}
}

// An answer waits for the end of a message that is sent in parts.
func TestServeWaitsForWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, _ := bubblePeer(t, nil)
		w, err := engine.Writer(context.Background(), websocket.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		ended := served(context.Background(), engine, func(t *websocket.Turn, message string) error {
			return t.Send(websocket.TextMessage, []byte(message))
		})
		peer.Send(text("answer"))
		synctest.Wait()
		fmt.Fprint(w, "in parts")
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		expect(t, peer, text("in parts"), text("answer"))
		engine.CloseNow()
		<-ended
		peer.Line.Close()
	})
}

// What has gathered does not wait for a message of which only a part has come.
func TestServeDoesNotWaitForTheRest(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	go echoServed(t.Context(), engine)
	peer.Line.SetDeadline(time.Now().Add(20 * time.Second)) // a bound for a hang
	wire := peer.Encode(text("first"), text("second"))
	peer.Line.Write(wire[:len(wire)-1])
	expect(t, peer, text("first"))
	peer.Line.Write(wire[len(wire)-1:])
	expect(t, peer, text("second"))
}

// A handler that answers much more than came does not gather without bound.
func TestServeGathersBounded(t *testing.T) {
	const answers, size = 100, 8000
	peer, engine, line := counted(t, nil, "")
	ended := served(t.Context(), engine, func(turn *websocket.Turn, _ string) error {
		for n := range answers {
			if err := turn.Send(websocket.BinaryMessage, make([]byte, size)); err != nil {
				return err
			}
			if n*size > 2*(64<<10) && line.writes.Load() == 0 {
				t.Errorf("%d answers have gathered", n)
				break
			}
		}
		return nil
	})
	peer.Send(text("go"))
	peer.Line.SetDeadline(time.Now().Add(20 * time.Second)) // a bound for a hang
	for range answers {
		expect(t, peer, binary(string(make([]byte, size))))
	}
	if got := line.writes.Load(); got < answers*size/(64<<10) || got > answers/4 {
		t.Errorf("%d writes", got)
	}
	engine.CloseNow()
	<-ended
}

// Order is that of the calls, whichever way a message is sent.
func TestServeKeepsOrder(t *testing.T) {
	for _, m := range []websocket.CompressionMode{websocket.CompressionOff, websocket.CompressionContextTakeover} {
		server, client := ws.Pipe(t, &websocket.AcceptOptions{Compression: m}, &websocket.DialOptions{Compression: m})
		large := bytes.Repeat([]byte("large "), 5000)
		prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte("prepared"))
		if err != nil {
			t.Fatal(err)
		}
		ended := served(t.Context(), server, func(turn *websocket.Turn, _ string) error {
			ctx, kind := t.Context(), websocket.TextMessage
			return errors.Join(turn.Send(kind, []byte("1")), turn.SendPrepared(prepared), turn.Send(kind, large), turn.Send(kind, []byte("2")),
				turn.Conn().Write(ctx, kind, []byte("3")), turn.Send(kind, []byte("4")), turn.Flush(), turn.Send(kind, []byte("5")),
				turn.Conn().WriteBatch(ctx, kind, []byte("6"), []byte("7")))
		})
		for range 2 {
			if err := client.Write(t.Context(), websocket.TextMessage, []byte("go")); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"1", "prepared", string(large), "2", "3", "4", "5", "6", "7"} {
				if _, got, err := client.Read(t.Context()); err != nil || string(got) != want {
					t.Fatalf("got %.20q, %v, want %.20q", got, err, want)
				}
			}
		}
		client.CloseNow()
		<-ended
	}
}

// A handler may flush before it waits; and what it wrote by Conn waits for nothing.
func TestServeFlush(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	release := make(chan struct{})
	ended := served(t.Context(), engine, func(t *websocket.Turn, message string) error {
		err := errors.Join(t.Send(websocket.TextMessage, []byte("received")), t.Flush())
		<-release
		return errors.Join(err, t.Send(websocket.TextMessage, []byte("done")))
	})
	peer.Send(text("work"))
	expect(t, peer, text("received"))
	release <- struct{}{}
	expect(t, peer, text("done"))
	engine.CloseNow()
	<-ended
}

// When the context ends nothing is lost, and the connection can be read on.
func TestServeContextEnds(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	ended := served(ctx, engine, func(t *websocket.Turn, message string) error {
		got = append(got, message)
		if message == "two" {
			cancel()
		}
		return t.Send(websocket.TextMessage, []byte(message))
	})
	wire := peer.Encode(text("one"), text("two"), text("three"))
	peer.Line.Write(wire[:len(wire)-2])
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[one two]" {
		t.Error(got)
	}
	peer.Line.Write(wire[len(wire)-2:])
	expect(t, peer, text("one"), text("two"))
	if _, message, err := engine.Read(t.Context()); err != nil || string(message) != "three" {
		t.Errorf("%q, %v", message, err)
	}
}

// An error of the handler is that of Serve; its answers are sent, and the
// connection lives on.
func TestServeHandlerFails(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	defer engine.CloseNow()
	enough := errors.New("enough")
	ended := served(t.Context(), engine, func(t *websocket.Turn, message string) error {
		return errors.Join(t.Send(websocket.TextMessage, []byte("so long")), enough)
	})
	peer.Send(text("first"), text("second"))
	expect(t, peer, text("so long"))
	if err := <-ended; !errors.Is(err, enough) {
		t.Fatal(err)
	}
	if _, message, err := engine.Read(t.Context()); err != nil || string(message) != "second" {
		t.Errorf("%q, %v", message, err)
	}
}

// After a panic of the handler the connection can be closed.
func TestServeHandlerPanics(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	peer.Send(text("boom"), ws.CloseFrame(1000, ""))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is swallowed")
			}
		}()
		engine.Serve(t.Context(), func(*websocket.Turn, websocket.MessageType, []byte) error { panic("boom") })
	}()
	if err := engine.Close(websocket.StatusInternalError, "panic"); err != nil {
		t.Error(err)
	}
}

// While Serve reads nobody else does, not even its handler.
func TestServeReadsAlone(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	ended := served(t.Context(), engine, func(turn *websocket.Turn, _ string) error {
		conn := turn.Conn()
		if _, _, err := conn.Read(t.Context()); err == nil || websocket.CloseStatus(err) != 0 {
			t.Errorf("Read: %v", err)
		}
		if _, _, err := conn.Reader(t.Context()); err == nil {
			t.Error("Reader is allowed")
		}
		if err := echoServed(t.Context(), conn); err == nil {
			t.Error("Serve in Serve is allowed")
		}
		return turn.Send(websocket.TextMessage, []byte("well"))
	})
	peer.Send(text("how are you"))
	expect(t, peer, text("well"))
	engine.CloseNow()
	if err := <-ended; !errors.Is(err, websocket.ErrClosed) {
		t.Error(err)
	}
}

// Close, from the handler or beside it, is the start of the handshake that Serve completes.
func TestServeAndClose(t *testing.T) {
	for _, where := range []string{"handler", "beside", "beside a handler that runs"} {
		t.Run(where, func(t *testing.T) {
			peer, engine := asServer(t, nil, "")
			running := make(chan struct{})
			closed := make(chan struct{})
			ended := served(t.Context(), engine, func(turn *websocket.Turn, _ string) error {
				err := turn.Send(websocket.TextMessage, []byte("last"))
				switch where {
				case "handler":
					err = errors.Join(err, turn.Conn().Close(4000, "enough"))
				case "beside a handler that runs":
					close(running)
					<-closed
				}
				if where != "beside" && !errors.Is(turn.Send(websocket.TextMessage, nil), websocket.ErrClosed) {
					t.Error("sent after the close frame")
				}
				return err
			})
			if where != "handler" {
				go func() {
					<-running
					if err := engine.Close(4000, "enough"); err != nil {
						t.Error(err)
					}
					close(closed)
				}()
			}
			peer.Send(text("a"))
			if where == "beside" {
				expect(t, peer, text("last"))
				close(running)
				expect(t, peer, ws.CloseFrame(4000, "enough"))
			} else {
				expect(t, peer, text("last"), ws.CloseFrame(4000, "enough"))
			}
			peer.Send(ws.CloseFrame(4000, ""))
			if err := <-ended; websocket.CloseStatus(err) != 4000 {
				t.Error(err)
			}
			peer.Line.Close()
		})
	}
}

// A peer that does not answer the close frame ends Serve after the close timeout.
func TestServeCloseUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, _ := bubblePeer(t, nil)
		ended := served(context.Background(), engine, func(*websocket.Turn, string) error { return nil })
		synctest.Wait() // Serve waits for a message
		start := time.Now()
		if err := engine.Close(1000, ""); err != nil {
			t.Error(err)
		}
		if err := <-ended; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("after %v", took)
		}
		peer.Line.Close()
	})
}

// FL-01: a peer that sends and never reads is given up.
func TestServePeerNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverLine, clientLine := ws.Lines(1024)
		peer, engine := joinServer(t, serverLine, clientLine, nil, "")
		ended := make(chan error, 1)
		go func() { ended <- echoServed(context.Background(), engine) }()
		go func() {
			for peer.Send(binary(string(make([]byte, 500)))) == nil {
			}
		}()
		if err := <-ended; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Error(err)
		}
		clientLine.Close()
	})
}

// FL-14: the nth operation of the line fails under Serve, for every n: it returns.
func TestServeEveryOperationFails(t *testing.T) {
	for n := 0; ; n++ {
		engineLine, peerLine := ws.Lines(lineBytes)
		failing := &failingLine{Conn: engineLine, left: n}
		peerLine.SetDeadline(time.Now().Add(time.Minute))
		ended := make(chan error, 1)
		go func() {
			defer engineLine.Close()
			engine, err := ws.Accept(failing, nil)
			if err == nil {
				err = echoServed(context.Background(), engine)
				engine.CloseNow()
			}
			ended <- err
		}()
		complete := func() bool {
			peer, err := ws.ClientPeer(peerLine, "")
			if err != nil {
				return false
			}
			for _, f := range []ws.Frame{text("a"), ping("b"), binary("c"), ws.CloseFrame(1000, "")} {
				if err := peer.Send(f); err != nil {
					return false
				}
				if _, err := peer.Receive(); err != nil {
					return false
				}
			}
			return true
		}()
		peerLine.Close()
		if err := <-ended; complete && websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Error(err)
		}
		if complete {
			if n < 10 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}

// A loop of Serve allocates nothing for a message.
func TestServeAllocations(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	ended := make(chan error, 1)
	go func() { ended <- echoServed(t.Context(), engine) }()
	wire := peer.Encode(text("message"))
	answer := make([]byte, 2+len("message"))
	got := testing.AllocsPerRun(200, func() {
		peer.Line.Write(wire)
		if _, err := peer.Line.Read(answer); err != nil {
			t.Fatal(err)
		}
	})
	if got > 8 { // the line in memory makes a channel a write and a read
		t.Errorf("%v allocations a message", got)
	}
	engine.CloseNow()
	<-ended
}
