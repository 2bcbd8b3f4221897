package interop

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// countingLine counts the bytes that cross it.
type countingLine struct {
	net.Conn
	crossed *atomic.Int64
}

func (l countingLine) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.crossed.Add(int64(n))
	return n, err
}

func (l countingLine) Write(p []byte) (int, error) {
	l.crossed.Add(int64(len(p))) // first, since the other end may be faster
	return l.Conn.Write(p)
}

// ourPeer is our own client, which echoes and counts.
func ourPeer(crossed *atomic.Int64) peer {
	return peer{name: "ours", dial: func(t *testing.T, url string, m mode, w *witness) {
		conn, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
			Compression: m.ours, CompressionThreshold: 1, Subprotocols: offered, Limits: limits,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				line, err := new(net.Dialer).DialContext(ctx, network, address)
				return countingLine{line, crossed}, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.opened <- opening{conn.Subprotocol(), extensionsOf(response)}
		runs(t, func() {
			defer conn.CloseNow()
			for {
				kind, message, err := conn.Read(context.Background())
				if err != nil || conn.Write(context.Background(), kind, message) != nil {
					return
				}
			}
		})
	}}
}

// TestAgreedIsUsed counts what a message costs both ways: what was agreed on must be done, by every
// way that a message can go out.
func TestAgreedIsUsed(t *testing.T) {
	for _, r := range roles[1:] {
		for _, m := range []mode{off, noTakeover, takeover} {
			t.Run(r.name+"/"+m.name, func(t *testing.T) {
				var crossed atomic.Int64
				conn, _ := connect(t, ourPeer(&crossed), r, m)
				for _, size := range []int{300, 3000, 100_000} {
					before := crossed.Load()
					echo(t, conn, websocket.TextMessage, []byte(strings.Repeat("the same again", size/14)))
					if spent := int(crossed.Load() - before); (spent < size) != m.agreed {
						t.Errorf("%d bytes and back took %d", size, spent)
					}
				}
				if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestCloseEndsAWriteThatIsStuck closes a connection whose peer reads nothing, where no write timeout would end it.
func TestCloseEndsAWriteThatIsStuck(t *testing.T) {
	accepted := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{
			PingInterval: -1, WriteTimeout: -1, CloseTimeout: 100 * time.Millisecond,
		})
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}))
	defer server.Close()
	line, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	const request = "GET / HTTP/1.1\r\nHost: interop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := io.WriteString(line, request); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(line)
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 101 {
		t.Fatal(response, err)
	}
	conn := await(t, "the handshake", accepted)
	defer conn.CloseNow()
	ended := make(chan error, 2)
	go func() { // more than the buffers of both sockets hold
		ended <- conn.Write(context.Background(), websocket.BinaryMessage, make([]byte, 64<<20))
	}()
	if _, err := reader.ReadByte(); err != nil { // it has begun
		t.Fatal(err)
	}
	go func() { ended <- conn.Close(websocket.StatusGoingAway, "") }()
	for range 2 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("nobody has answered")
			}
		case <-time.After(8 * time.Second): // with a bound of 100 ms
			t.Fatal("the line is still open")
		}
	}
}
