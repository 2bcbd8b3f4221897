package websocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// ends are the ways in which a line is cut.
var ends = map[string]func(*ws.Line){
	"FIN": func(l *ws.Line) { l.Close() },
	"RST": func(l *ws.Line) { l.Reset() },
}

// roles that an engine has.
var roles = []string{"server", "client"}

// G4: the peer goes away after every byte that we send, in the handshake too: all
// calls return, with an error or without.
func TestCutOutgoing(t *testing.T) {
	for _, role := range roles {
		for end, cut := range ends {
			t.Run(role+"/"+end, func(t *testing.T) {
				t.Parallel()
				for at := 0; ; at++ {
					engineLine, peerLine := ws.Lines(lineBytes)
					limited := &limitedReader{Line: peerLine, left: at, cut: func() { cut(peerLine) }}
					if complete := talk(role, engineLine, limited); complete {
						return
					}
				}
			})
		}
	}
}

// limitedReader cuts its line once so many bytes were read from it.
type limitedReader struct {
	*ws.Line
	left int
	cut  func()
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left == 0 {
		l.cut()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.Line.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// talk opens a connection whose engine sends all that it can, and reports
// whether the peer saw everything.
func talk(role string, engineLine net.Conn, peerLine net.Conn) (complete bool) {
	var wg sync.WaitGroup
	wg.Go(func() {
		defer engineLine.Close()
		var engine *websocket.Conn
		var err error
		if role == "server" {
			engine, err = ws.Accept(engineLine, nil)
		} else {
			engine, err = ws.Dial(context.Background(), engineLine, nil)
		}
		if err == nil {
			sendEverything(engine)
		}
	})
	complete = listenToAll(role, peerLine)
	peerLine.Close()
	wg.Wait()
	return complete
}

// sendEverything uses each way to send, and reads meanwhile.
func sendEverything(engine *websocket.Conn) {
	defer engine.CloseNow()
	ctx := context.Background()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			if _, _, err := engine.Read(ctx); err != nil {
				return
			}
		}
	})
	engine.Write(ctx, websocket.TextMessage, []byte("text"))
	engine.WriteBatch(ctx, websocket.BinaryMessage, []byte("a"), nil)
	if w, err := engine.Writer(ctx, websocket.TextMessage); err == nil {
		w.Write([]byte("part"))
		w.Close()
	}
	if p, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte("prepared")); err == nil {
		engine.WritePrepared(ctx, p)
	}
	engine.Ping(ctx)
	engine.Close(websocket.StatusNormalClosure, "done")
	wg.Wait()
}

// listenToAll plays the peer of sendEverything until the close handshake is done.
func listenToAll(role string, line net.Conn) bool {
	open := ws.ServerPeer
	if role == "server" {
		open = ws.ClientPeer
	}
	peer, err := open(line, "")
	if err != nil {
		return false
	}
	for {
		got, err := peer.Receive()
		switch {
		case err != nil:
			return false
		case got.Opcode == frame.Ping:
			peer.Send(pong(string(got.Payload)))
		case got.Opcode == frame.Close:
			peer.Send(got)
			_, err := peer.Receive()
			return errors.Is(err, io.EOF)
		}
	}
}

// errInjected is what a failing operation returns.
var errInjected = errors.New("injected")

// failingLine lets the nth operation fail, and all after it; or all writes.
type failingLine struct {
	net.Conn
	mu   sync.Mutex
	left int
	deaf bool // the peer takes nothing any more
}

func (l *failingLine) failWrites() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = true
}

func (l *failingLine) fails() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left--
	return l.left < 0
}

func (l *failingLine) isDeaf() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deaf
}

func (l *failingLine) Read(p []byte) (int, error) {
	if l.fails() {
		return 0, errInjected
	}
	return l.Conn.Read(p)
}

func (l *failingLine) Write(p []byte) (int, error) {
	if l.fails() || l.isDeaf() {
		n, _ := l.Conn.Write(p[:len(p)/2])
		return n, errInjected
	}
	return l.Conn.Write(p)
}

// FL-14: the nth operation of the line fails, for every n: all calls return.
func TestEveryOperationFails(t *testing.T) {
	for _, role := range roles {
		t.Run(role, func(t *testing.T) {
			for n := 0; ; n++ {
				engineLine, peerLine := ws.Lines(lineBytes)
				failing := &failingLine{Conn: engineLine, left: n}
				peerLine.SetDeadline(time.Now().Add(time.Minute))
				if talk(role, failing, peerLine) {
					// Eight writes; how many reads count depends on what arrives together.
					if n < 8 {
						t.Errorf("only %d operations", n)
					}
					return
				}
			}
		})
	}
}

// FL-09: a line that takes one byte at a time, or few, leaves the stream intact.
func TestNarrowLine(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 64} {
		serverLine, clientLine := ws.Lines(size)
		server, client := ws.Open(t, serverLine, clientLine, nil, nil)
		go ws.Echo(t.Context(), server)
		for _, n := range []int{0, 1, 125, 126, 9000, 70000 / slowness} {
			message := []byte(strings.Repeat("x", n))
			sent := make(chan error, 1)
			go func() { sent <- client.Write(t.Context(), websocket.TextMessage, message) }()
			if _, got, err := client.Read(t.Context()); err != nil || !slices.Equal(got, message) {
				t.Fatalf("line of %d, message of %d: %d bytes, %v", size, n, len(got), err)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
	}
}
