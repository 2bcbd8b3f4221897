package websocket_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// A slow line is a way to have an engine write to a peer that takes its time.
type slowLine struct {
	name string
	open func(t *testing.T, opts *websocket.AcceptOptions) (*websocket.Conn, net.Conn) // and the peer's end
}

var slowLines = []slowLine{
	{"server over TCP", slowServer},
	{"client over TCP", slowClient},
	{"server over TLS", slowOverTLS},
}

func slowServer(t *testing.T, opts *websocket.AcceptOptions) (*websocket.Conn, net.Conn) {
	server, client := ws.Sockets(t)
	_, engine := joinServer(t, server, client, opts, "")
	return engine, client
}

func slowClient(t *testing.T, opts *websocket.AcceptOptions) (*websocket.Conn, net.Conn) {
	server, client := ws.Sockets(t)
	_, engine := joinClient(t, server, client, &websocket.DialOptions{WriteTimeout: opts.WriteTimeout, PingInterval: opts.PingInterval}, "")
	return engine, server
}

func slowOverTLS(t *testing.T, opts *websocket.AcceptOptions) (*websocket.Conn, net.Conn) {
	accepted := make(chan *websocket.Conn, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, opts)
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}))
	t.Cleanup(server.Close)
	line := ws.Connect(t, server.Listener.Addr().String())
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	secured := tls.Client(line, config)
	if _, err := ws.ClientPeer(secured, ""); err != nil {
		t.Fatal(err)
	}
	return <-accepted, tlsEnd{secured, line.(*net.TCPConn)}
}

// tlsEnd is a TLS connection whose socket can be set.
type tlsEnd struct {
	*tls.Conn
	socket *net.TCPConn
}

func (e tlsEnd) SetReadBuffer(bytes int) error { return e.socket.SetReadBuffer(bytes) }

// slowWays are how much is written, and how.
var slowWays = map[string]func(t *testing.T, conn *websocket.Conn) error{
	"one large message": func(t *testing.T, conn *websocket.Conn) error {
		return conn.Write(t.Context(), websocket.BinaryMessage, make([]byte, slowBytes))
	},
	"many small messages": func(t *testing.T, conn *websocket.Conn) (err error) {
		for sent := 0; sent < slowBytes && err == nil; sent += 1000 {
			err = conn.Write(t.Context(), websocket.BinaryMessage, make([]byte, 1000))
		}
		return err
	},
}

// slowBytes is more than any socket takes at once.
const slowBytes = 24 << 20

// FL-02: a peer that takes its output slowly and steadily is kept, also while the system says nothing of it: it calls a
// socket writable again only when a third of its buffer, which is a matter of megabytes, is free.
func TestSlowAndSteadyIsKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("here a socket is writable sooner, and not asked")
	}
	const timeout = time.Second
	for _, line := range slowLines {
		for name, write := range slowWays {
			t.Run(line.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				engine, peer := line.open(t, &websocket.AcceptOptions{WriteTimeout: timeout, PingInterval: -1})
				peer.(interface{ SetReadBuffer(int) error }).SetReadBuffer(ws.SteadyBufferBytes)
				written := make(chan error, 1)
				go func() {
					written <- write(t, engine)
					close(written)
				}()
				steady, err := ws.ReadSteadily(peer, 5*timeout/2, timeout)
				select {
				case err = <-written:
				default:
				}
				if err != nil && steady {
					t.Errorf("given up: %v", err)
				}
				engine.CloseNow()
				peer.Close()
				<-written
			})
		}
	}
}

// FL-01: a peer that takes nothing is given up after the write timeout, on each kind of line; so is one that stops in the middle.
func TestPeerThatStopsIsGivenUp(t *testing.T) {
	for _, line := range slowLines {
		for name, write := range slowWays {
			t.Run(line.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				engine, peer := line.open(t, &websocket.AcceptOptions{WriteTimeout: 400 * time.Millisecond, PingInterval: -1})
				peer.(interface{ SetReadBuffer(int) error }).SetReadBuffer(256 << 10) // or it might take all there is
				var reading sync.WaitGroup
				reading.Go(func() { io.CopyN(io.Discard, peer, 6<<20) })
				hang := time.AfterFunc(10*time.Second, func() { engine.CloseNow() }) // a bound for a hang
				defer hang.Stop()
				err := write(t, engine)
				if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || !isTimeout(err) {
					t.Error(err)
				}
				engine.CloseNow()
				peer.Close()
				reading.Wait()
			})
		}
	}
}

// FL-01: the end of a connection of TLS does not wait for a peer that reads nothing; that of the package tls would do so
// for five seconds, to tell it.
func TestEndDoesNotWait(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	config := certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	serverLine, clientLine := ws.Lines(0)
	_, engine := joinServer(t, tls.Server(serverLine, certified.TLS), tls.Client(clientLine, config), nil, "")
	ctx, cancel := context.WithCancel(t.Context())
	begun := time.Now()
	time.AfterFunc(50*time.Millisecond, cancel) // which ends the connection
	if err := engine.Write(ctx, websocket.BinaryMessage, make([]byte, 1<<20)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
}

// The end of the context between two pieces of a message ends the write, although the next piece has a new deadline.
func TestContextEndsBetweenPieces(t *testing.T) {
	serverLine, clientLine := ws.Lines(lineBytes)
	ctx, cancel := context.WithCancel(t.Context())
	between := &betweenPieces{Line: serverLine, cancel: cancel, interrupted: make(chan struct{})}
	_, engine := joinServer(t, between, clientLine, &websocket.AcceptOptions{WriteTimeout: -1}, "")
	defer engine.CloseNow()
	between.left = 3
	if err := engine.Write(ctx, websocket.BinaryMessage, make([]byte, 1<<20)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if between.left < -1 {
		t.Errorf("%d writes after the end", -between.left)
	}
}

// betweenPieces ends a context after so many writes, and returns from the last of them when that was noticed.
type betweenPieces struct {
	*ws.Line
	left        int
	cancel      func()
	interrupted chan struct{}
}

func (l *betweenPieces) Write(p []byte) (int, error) {
	n, err := l.Line.Write(p)
	if l.left--; l.left == 0 {
		l.cancel()
		<-l.interrupted
	}
	return n, err
}

func (l *betweenPieces) SetWriteDeadline(d time.Time) error {
	if !d.IsZero() {
		close(l.interrupted)
	}
	return l.Line.SetWriteDeadline(d)
}
