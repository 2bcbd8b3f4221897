package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// narrowSockets returns a connection over TCP whose server side takes little at once, and
// a peer that is its client.
func narrowSockets(t *testing.T, opts *websocket.AcceptOptions) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	server, client := ws.Sockets(t)
	server.(*net.TCPConn).SetWriteBuffer(4 << 10)
	client.SetDeadline(time.Now().Add(time.Minute))
	peer, conn := joinServer(t, server, client, opts, "")
	t.Cleanup(func() { conn.CloseNow() })
	return peer, conn
}

// FL-09 over sockets: what the system takes only a part of goes on where it
// stopped, in order, with several writers.
func TestSocketTakesParts(t *testing.T) {
	const writers, batches, messages = 3, 2, 40
	peer, engine := narrowSockets(t, nil)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				var batch [][]byte
				for m := range messages {
					batch = append(batch, numbered(w, b*messages+m))
				}
				if err := engine.WriteBatch(t.Context(), websocket.BinaryMessage, batch...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var next [writers]int
	for range writers * batches * messages {
		got, err := peer.Receive()
		if err != nil {
			t.Fatal(err)
		}
		w := int(got.Payload[0])
		if w >= writers || !bytes.Equal(got.Payload, numbered(w, next[w])) {
			t.Fatalf("message %v of %v differs", next, w)
		}
		next[w]++
	}
	wg.Wait()
}

// numbered returns the nth message of a writer.
func numbered(writer, n int) []byte {
	return bytes.Repeat([]byte{byte(writer), byte(n)}, 1+n*977%6000)
}

// FL-01 over sockets: a peer that reads nothing is given up, whether its messages
// are small, large or answers; and the context can end the wait before.
func TestSocketPeerNeverReads(t *testing.T) {
	ways := map[string]func(ctx context.Context, conn *websocket.Conn) error{
		"small": func(ctx context.Context, conn *websocket.Conn) error {
			return conn.Write(ctx, websocket.BinaryMessage, make([]byte, 1000))
		},
		"large": func(ctx context.Context, conn *websocket.Conn) error {
			return conn.Write(ctx, websocket.BinaryMessage, make([]byte, 100000))
		},
	}
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			_, engine := narrowSockets(t, &websocket.AcceptOptions{WriteTimeout: 50 * time.Millisecond})
			var err error
			for err == nil {
				err = write(t.Context(), engine)
			}
			if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
				t.Error(err)
			}
			_, engine = narrowSockets(t, &websocket.AcceptOptions{WriteTimeout: -1})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			for err = nil; err == nil; {
				err = write(ctx, engine)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// FL-01 over sockets, under Serve.
func TestSocketServePeerNeverReads(t *testing.T) {
	peer, engine := narrowSockets(t, &websocket.AcceptOptions{WriteTimeout: 50 * time.Millisecond})
	ended := make(chan error, 1)
	go func() { ended <- echoServed(t.Context(), engine) }()
	go func() {
		burst := make([]ws.Frame, 16)
		for i := range burst {
			burst[i] = binaryFrame(4096)
		}
		for peer.Send(burst...) == nil {
		}
	}()
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || !isTimeout(err) {
		t.Error(err)
	}
	engine.CloseNow()
}

func binaryFrame(size int) ws.Frame {
	return ws.Fin(frame.Binary, string(bytes.Repeat([]byte("x"), size)))
}

// A peer that has reset its line is the end of the connection, with the cause.
func TestSocketReset(t *testing.T) {
	peer, engine := narrowSockets(t, nil)
	line := peer.Line.(*net.TCPConn)
	line.SetLinger(0)
	line.Close()
	var err error
	for err == nil {
		err = engine.Write(t.Context(), websocket.TextMessage, []byte("anybody?"))
	}
	if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	if _, _, err := engine.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
		t.Error(err)
	}
}

// The end of a line that has come together with a message is one event with it: to wait after a short read would
// be to wait for ever.
func TestSocketEndsWithItsLastMessage(t *testing.T) {
	for name, end := range map[string]func(line *net.TCPConn) error{
		"closed":      (*net.TCPConn).Close,
		"half closed": (*net.TCPConn).CloseWrite,
		"reset":       func(line *net.TCPConn) error { return errors.Join(line.SetLinger(0), line.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			peer, engine := narrowSockets(t, nil)
			peer.Send(text("last"))
			if err := end(peer.Line.(*net.TCPConn)); err != nil {
				t.Fatal(err)
			}
			var got []string
			err := engine.Serve(t.Context(), func(_ *websocket.Turn, _ websocket.MessageType, message []byte) error {
				got = append(got, string(message))
				return nil
			})
			if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
				t.Error(err)
			}
			if dropped := len(got) == 0 && name == "reset"; !dropped && !slices.Equal(got, []string{"last"}) { // some systems drop it
				t.Errorf("got %q", got)
			}
		})
	}
}

// VC-13 over sockets: bursts that fill small and large buffers come back whole and
// in order on each of many connections.
func TestSocketBursts(t *testing.T) {
	const connections, bursts = 20, 20 / slowness * 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		echoServed(r.Context(), conn)
	}))
	defer server.Close()
	var wg sync.WaitGroup
	for n := range connections {
		wg.Go(func() {
			conn, _, err := websocket.Dial(t.Context(), server.URL, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			for b := range bursts {
				var sent [][]byte
				for m := range 16 {
					sent = append(sent, bytes.Repeat(fmt.Appendf(nil, "<%d:%d:%d>", n, b, m), 1+(b*37+m*101)%900))
				}
				go conn.WriteBatch(t.Context(), websocket.TextMessage, sent...)
				for m := range sent {
					if _, got, err := conn.Read(t.Context()); err != nil || !bytes.Equal(got, sent[m]) {
						t.Errorf("connection %d, burst %d, message %d: %.40q, %v", n, b, m, got, err)
						return
					}
				}
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// CloseNow in the midst of writes and reads: all return, and nobody writes to a
// descriptor that is somebody else's by then.
func TestSocketCloseRacesWithWrite(t *testing.T) {
	for range 20 / slowness * 2 {
		peer, engine := narrowSockets(t, nil)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for engine.Write(t.Context(), websocket.BinaryMessage, make([]byte, 500)) == nil {
				}
			})
		}
		wg.Go(func() { echoServed(t.Context(), engine) })
		for range 50 {
			if _, err := peer.Receive(); err != nil {
				t.Fatal(err)
			}
		}
		engine.CloseNow()
		peer.Line.Close()
		wg.Wait()
	}
}
