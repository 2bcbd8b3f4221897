package websocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The close handshake, with nobody reading and with somebody.
func TestCloseHandshake(t *testing.T) {
	for _, reading := range []bool{false, true} {
		server, client := ws.Pipe(t, nil, nil)
		seen := make(chan error, 1)
		go func() {
			_, _, err := server.Read(t.Context())
			seen <- err
		}()
		own := make(chan error, 1)
		if reading {
			go func() {
				_, _, err := client.Read(t.Context())
				own <- err
			}()
		}
		if err := client.Close(4000, "bye"); err != nil {
			t.Errorf("reading %v: %v", reading, err)
		}
		var closed *websocket.CloseError
		if err := <-seen; !errors.As(err, &closed) || closed.Code != 4000 || closed.Reason != "bye" {
			t.Errorf("reading %v: the peer sees %v", reading, err)
		}
		if reading {
			if err := <-own; websocket.CloseStatus(err) != 4000 {
				t.Errorf("the reader sees %v", err)
			}
		}
		for name, err := range map[string]error{
			"Write": client.Write(t.Context(), websocket.TextMessage, nil),
			"Close": client.Close(1000, ""),
		} {
			if websocket.CloseStatus(err) != 4000 {
				t.Errorf("reading %v: %s afterwards: %v", reading, name, err)
			}
		}
	}
}

// Both sides close at once: each sees the other's code.
func TestCloseCrossing(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	closed := make(chan error, 1)
	go func() { closed <- engine.Close(4001, "ours") }()
	peer.Send(ws.CloseFrame(4002, "theirs"))
	got, err := peer.Receive()
	if status, reason, _ := frame.DecodeClose(got.Payload); err != nil || status != 4001 && status != 4002 {
		t.Errorf("got %d %q, %v", status, reason, err)
	}
	if _, err := peer.Receive(); err != io.EOF {
		t.Errorf("a second close frame: %v", err)
	}
	peer.Line.Close()
	if err := <-closed; err != nil && websocket.CloseStatus(err) != 4002 {
		t.Error(err)
	}
}

// RFC 6455 7.1.5: the code is that of the peer's close frame, also where the peer was gone before it could be answered; and
// a peer that broke a rule and left did break it.
func TestPeerLeavesUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		sent []byte
		code websocket.StatusCode
	}{
		"a close frame":  {[]byte{0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa0}, 4000},
		"a broken frame": {[]byte{0x83, 0x80, 0, 0, 0, 0}, websocket.StatusProtocolError},
	} {
		for call, wait := range map[string]func(*websocket.Conn) error{
			"Read": func(conn *websocket.Conn) error {
				_, _, err := conn.Read(t.Context())
				return err
			},
			"Serve": func(conn *websocket.Conn) error {
				return conn.Serve(t.Context(), func(*websocket.Turn, websocket.MessageType, []byte) error { return nil })
			},
		} {
			t.Run(name+" "+call, func(t *testing.T) {
				serverLine, clientLine := ws.Lines(lineBytes)
				line := &failingLine{Conn: serverLine, left: 1 << 20}
				peer, engine := joinServer(t, line, clientLine, nil, "")
				peer.Line.Write(c.sent)
				line.failWrites()
				if err := wait(engine); websocket.CloseStatus(err) != c.code {
					t.Errorf("ended with %v", err)
				}
				if err := engine.Write(t.Context(), websocket.TextMessage, nil); websocket.CloseStatus(err) != c.code {
					t.Errorf("Write afterwards: %v", err)
				}
			})
		}
	}
}

// Messages that come while closing are dropped where nobody reads.
func TestCloseDropsMessages(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	peer.Send(text("early"), begin(frame.Text, "half"))
	closed := make(chan error, 1)
	go func() { closed <- engine.Close(1000, strings.Repeat("é", 100)) }()
	got, err := peer.Receive()
	if _, reason, _ := frame.DecodeClose(got.Payload); err != nil || string(reason) != strings.Repeat("é", 61) {
		t.Errorf("reason %q, %v", reason, err)
	}
	peer.Send(finish("late"), text("later"), ws.CloseFrame(1000, ""))
	if _, err := peer.Receive(); err != io.EOF {
		t.Error(err)
	}
	peer.Line.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A reader left with half a message learns that Close took the rest.
func TestCloseTakesReader(t *testing.T) {
	peer, engine := asServer(t, nil, "")
	peer.Send(begin(frame.Text, "half"))
	_, r, err := engine.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		peer.Receive()
		peer.Send(ws.CloseFrame(1000, ""))
		peer.Receive()
		peer.Line.Close()
	}()
	if err := engine.Close(1000, ""); err != nil {
		t.Error(err)
	}
	if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

// CloseNow wakes everybody, and may be called again.
func TestCloseNow(t *testing.T) {
	serverLine, clientLine := ws.Lines(256)
	_, engine := joinServer(t, serverLine, clientLine, nil, "")
	failed := make(chan error, 4)
	go func() {
		_, _, err := engine.Read(t.Context())
		failed <- err
	}()
	for range 2 {
		go func() { failed <- engine.Write(t.Context(), websocket.BinaryMessage, make([]byte, 5000)) }()
	}
	go func() { failed <- engine.Ping(t.Context()) }()
	go func() {
		for range 3 {
			engine.CloseNow()
		}
	}()
	for range 4 {
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

// bubblePeer is asServer inside a bubble, with timeouts.
func bubblePeer(t *testing.T, opts *websocket.AcceptOptions) (*ws.Peer, *websocket.Conn, time.Time) {
	t.Helper()
	peer, engine := asServer(t, opts, "")
	return peer, engine, time.Now()
}

// A close frame that is never answered: the line ends after the close timeout.
func TestCloseUnanswered(t *testing.T) {
	for _, reading := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			peer, engine, start := bubblePeer(t, &websocket.AcceptOptions{CloseTimeout: 3 * time.Second})
			if reading {
				go engine.Read(context.Background())
				synctest.Wait()
			}
			err := engine.Close(1000, "")
			if took := time.Since(start); err == nil || took != 3*time.Second {
				t.Errorf("reading %v: after %v: %v", reading, took, err)
			}
			if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
				t.Errorf("reading %v: %v", reading, err)
			}
			peer.Line.Close()
		})
	}
}

// A peer that was failed and stays on the line is cut off after the close timeout.
func TestFailedPeerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, start := bubblePeer(t, &websocket.AcceptOptions{CloseTimeout: 3 * time.Second})
		peer.Line.Write([]byte{0x83, 0x80})
		_, _, err := engine.Read(context.Background())
		if took := time.Since(start); websocket.CloseStatus(err) != 1002 || took != 3*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if _, err := peer.Line.Write([]byte("x")); err == nil {
			t.Error("the line is open")
		}
	})
}

// A server that answers a close frame and keeps the line open holds a client up
// for a second; a server does not wait for a client.
func TestAnsweredPeerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine := asClient(t, nil, "")
		start := time.Now()
		peer.Send(ws.CloseFrame(1000, ""))
		if err := engine.Close(1000, ""); err != nil && websocket.CloseStatus(err) != 1000 {
			t.Error(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("the client waits %v", took)
		}
		peer.Line.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		peer, engine, start := bubblePeer(t, nil)
		go func() {
			peer.Receive()
			peer.Send(ws.CloseFrame(1000, ""))
		}()
		if err := engine.Close(1000, ""); err != nil || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		peer.Line.Close()
	})
}

// FL-04, FL-06: a silent peer is pinged after 25 s and given up 8 s later; a pong
// in time keeps it.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, start := bubblePeer(t, nil)
		failed := make(chan error, 1)
		go func() {
			_, _, err := engine.Read(context.Background())
			failed <- err
		}()
		at := func(want time.Duration) {
			t.Helper()
			if got := time.Since(start); got != want {
				t.Errorf("after %v, want %v", got, want)
			}
		}
		if got, err := peer.Receive(); err != nil || !got.Equal(ping("")) {
			t.Fatalf("got %v, %v", got, err)
		}
		at(25 * time.Second)
		time.Sleep(8*time.Second - time.Nanosecond)
		peer.Send(pong(""))
		if got, err := peer.Receive(); err != nil || !got.Equal(ping("")) {
			t.Fatalf("got %v, %v", got, err)
		}
		at(58*time.Second - time.Nanosecond)
		err := <-failed
		at(66*time.Second - time.Nanosecond)
		if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Error(err)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

// A line that carries traffic is not pinged.
func TestTrafficPutsPingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, _ := bubblePeer(t, nil)
		go ws.Echo(context.Background(), engine)
		for range 20 {
			time.Sleep(24 * time.Second)
			peer.Send(text("tick"))
			if got, err := peer.Receive(); err != nil || !got.Equal(text("tick")) {
				t.Fatalf("got %v, %v", got, err)
			}
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

// Without pings a silent line is left alone.
func TestKeepAliveOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, _ := bubblePeer(t, &websocket.AcceptOptions{PingInterval: -1})
		go ws.Echo(context.Background(), engine)
		time.Sleep(24 * time.Hour)
		peer.Send(text("still here"))
		if got, err := peer.Receive(); err != nil || !got.Equal(text("still here")) {
			t.Fatalf("got %v, %v", got, err)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

// FL-01, FL-05: a peer that takes nothing is given up within 5 to 6.25 s; one
// that takes a little every few seconds is not.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverLine, clientLine := ws.Lines(1024)
		_, engine := joinServer(t, serverLine, clientLine, nil, "")
		start := time.Now()
		err := engine.Write(context.Background(), websocket.BinaryMessage, make([]byte, 5000))
		if took := time.Since(start); took < 5*time.Second || took > 6250*time.Millisecond {
			t.Errorf("after %v", took)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Error(err)
		}
		clientLine.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		engine, start, gone := slowPeer(t)
		if err := engine.Write(context.Background(), websocket.BinaryMessage, make([]byte, 4<<20)); err != nil {
			t.Errorf("a slow peer is given up after %v: %v", time.Since(start), err)
		}
		if took := time.Since(start); took < 30*time.Second {
			t.Errorf("the peer was not slow: %v", took)
		}
		engine.CloseNow()
		<-gone
	})
}

// slowPeer takes 256 KiB every three seconds, until the line ends.
func slowPeer(t *testing.T) (_ *websocket.Conn, start time.Time, gone chan struct{}) {
	serverLine, clientLine := ws.Lines(64 << 10)
	_, engine := joinServer(t, serverLine, clientLine, nil, "")
	gone = make(chan struct{})
	go func() {
		defer close(gone)
		for piece := make([]byte, 256<<10); ; time.Sleep(3 * time.Second) {
			if _, err := io.ReadFull(clientLine, piece); err != nil {
				return
			}
		}
	}()
	return engine, time.Now(), gone
}

// FL-12: a peer is judged after what it has sent was read: a process that was
// stopped for an hour finds the pong, and goes on.
func TestStoppedProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine, _ := bubblePeer(t, nil)
		// Nobody reads for an hour, which is as if the process had been stopped.
		time.Sleep(time.Hour)
		peer.Send(text("waited"))
		_, message, err := engine.Read(context.Background())
		if err != nil || string(message) != "waited" {
			t.Errorf("got %q, %v", message, err)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}
