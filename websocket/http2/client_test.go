package http2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/http2"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

func exchange(ctx context.Context, conn *websocket.Conn, message []byte) error {
	if err := conn.Write(ctx, websocket.BinaryMessage, message); err != nil {
		return err
	}
	_, got, err := conn.Read(ctx)
	if err == nil && !bytes.Equal(got, message) {
		err = errors.New("another message came back")
	}
	return err
}

// RFC 8441 5: a conversation on a stream, with and without compression, from nothing to beyond every window.
func TestConversation(t *testing.T) {
	for kind, secure := range kinds {
		for _, mode := range []websocket.CompressionMode{websocket.CompressionOff, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
			t.Run(kind+" "+mode.String(), func(t *testing.T) {
				limits := websocket.Limits{MessageBytes: 4 << 20}
				p := serve(t, secure, echo(&websocket.AcceptOptions{Compression: mode, Limits: limits}, nil))
				conn := p.dial(t, &websocket.DialOptions{Compression: mode, Limits: limits})
				for _, size := range []int{0, 1, 125, 126, 16 << 10, 65535, 65536, 256 << 10, 1 << 20, 3 << 20} {
					if err := exchange(t.Context(), conn, bytes.Repeat([]byte{'a', byte(size)}, size/2)); err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
				}
				if err := conn.Close(websocket.StatusNormalClosure, "done"); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// RFC 8441 5, RFC 6455 4: what was agreed, and the answer's own fields.
func TestAgreement(t *testing.T) {
	requests := make(chan *http.Request, 1)
	p := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Clone(context.Background())
		echo(&websocket.AcceptOptions{
			Subprotocols: []string{"b"}, Header: http.Header{"Set-Cookie": {"x=y"}, "Sec-Websocket-Accept": {"no"}, "Upgrade": {"no"}},
		}, nil)(w, r)
	})
	conn, response, err := p.client.Dial(t.Context(), p.url+"/line?q=1", &websocket.DialOptions{
		Subprotocols: []string{"a", "b"}, Header: http.Header{"Authorization": {"Bearer t"}, "Connection": {"close"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if response.StatusCode != 200 || response.ProtoMajor != 2 || response.TLS == nil || conn.Subprotocol() != "b" || response.Header.Get("Set-Cookie") != "x=y" {
		t.Errorf("answer %+v, subprotocol %q", response, conn.Subprotocol())
	}
	if response.Header.Get("Sec-WebSocket-Accept") != "" || response.Header.Get("Upgrade") != "" {
		t.Errorf("answer with %v", response.Header)
	}
	r := <-requests
	if r.Method != http.MethodConnect || r.Header.Get(":protocol") != "websocket" || r.RequestURI != "/line?q=1" || r.Header.Get("Authorization") != "Bearer t" {
		t.Errorf("request %s %s %v", r.Method, r.RequestURI, r.Header)
	}
	if r.Header.Get("Sec-WebSocket-Version") != "13" || r.Header.Get("Sec-WebSocket-Key") != "" || r.Header.Get("Connection") != "" {
		t.Errorf("request with %v", r.Header)
	}
	if conn.RemoteAddr().String() != p.server.Listener.Addr().String() {
		t.Errorf("remote address %v", conn.RemoteAddr())
	}
}

// Many streams share one connection, and one that is not read holds back nobody else.
func TestManyStreams(t *testing.T) {
	const streams = 60
	var connections atomic.Int32
	p := serve(t, true, echo(nil, nil))
	dial := new(net.Dialer).DialContext
	p.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return dial(ctx, network, address)
	}
	stalled := p.dial(t, nil)
	for range 8 { // more than its window, in both directions
		if err := stalled.Write(t.Context(), websocket.BinaryMessage, make([]byte, 32<<10)); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for range streams {
		conn := p.dial(t, nil)
		group.Go(func() {
			for _, size := range []int{10, 100_000, 1000} {
				if err := exchange(t.Context(), conn, bytes.Repeat([]byte{7}, size)); err != nil {
					t.Error(err)
				}
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for range 8 {
		if _, _, err := stalled.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What is beyond StreamsMax goes on another connection.
func TestStreamsMax(t *testing.T) {
	var connections atomic.Int32
	p := serve(t, false, echo(nil, nil))
	p.client.StreamsMax = 2
	dial := new(net.Dialer).DialContext
	p.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return dial(ctx, network, address)
	}
	for range 5 {
		if err := exchange(t.Context(), p.dial(t, nil), []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections for 5 streams of 2 each", n)
	}
}

// The end of the TCP connection ends all streams, on both sides.
func TestLostConnection(t *testing.T) {
	ends := make(chan error, 3)
	p := serve(t, false, echo(nil, func(err error) { ends <- err }))
	var line net.Conn
	dial := new(net.Dialer).DialContext
	p.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		line, err = dial(ctx, network, address)
		return line, err
	}
	conns := []*websocket.Conn{p.dial(t, nil), p.dial(t, nil), p.dial(t, nil)}
	for _, conn := range conns {
		if err := exchange(t.Context(), conn, []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	line.Close()
	for _, conn := range conns {
		if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Errorf("client: %v", err)
		}
		if err := <-ends; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure && !errors.Is(err, context.Canceled) {
			t.Errorf("server: %v", err)
		}
	}
	if err := exchange(t.Context(), p.dial(t, nil), []byte("a")); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// RFC 8441 5: who leaves without a close handshake resets the stream with CANCEL.
func TestCloseNow(t *testing.T) {
	ends := make(chan error, 1)
	p := serve(t, false, echo(nil, func(err error) { ends <- err }))
	keep, leave := p.dial(t, nil), p.dial(t, nil)
	if err := exchange(t.Context(), leave, []byte("a")); err != nil {
		t.Fatal(err)
	}
	leave.CloseNow()
	if err := <-ends; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure && !errors.Is(err, context.Canceled) {
		t.Errorf("server: %v", err)
	}
	if err := exchange(t.Context(), keep, []byte("a")); err != nil {
		t.Error(err)
	}
}

// A server that closes ends the stream cleanly, for its client sees the code.
func TestServerCloses(t *testing.T) {
	p := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		if err := conn.Close(4001, "go"); err != nil {
			t.Error(err)
		}
	})
	_, _, err := p.dial(t, nil).Read(t.Context())
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "go" {
		t.Errorf("client: %v", err)
	}
}

// A rule that the peer breaks is answered with its close code before the stream ends.
func TestViolation(t *testing.T) {
	p := serve(t, true, echo(&websocket.AcceptOptions{Limits: websocket.Limits{MessageBytes: 100}}, nil))
	conn := p.dial(t, nil)
	if err := conn.Write(t.Context(), websocket.TextMessage, make([]byte, 101)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("client: %v", err)
	}
}

// Pings keep a quiet stream: the deadlines by which they are sent do not end it.
func TestKeepAlive(t *testing.T) {
	p := serve(t, false, echo(&websocket.AcceptOptions{PingInterval: 5 * time.Millisecond}, nil))
	conn := p.dial(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // reads, and so answers pings, for some intervals
	defer cancel()
	if _, _, err := conn.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the stream did not outlive its pings: %v", err)
	}
	if err := exchange(t.Context(), conn, []byte("a")); err != nil {
		t.Error(err)
	}
}

// A stream whose peer answers no ping is given up.
func TestSilentPeer(t *testing.T) {
	ends := make(chan error, 1)
	p := serve(t, false, echo(&websocket.AcceptOptions{PingInterval: 5 * time.Millisecond, PongTimeout: 5 * time.Millisecond}, func(err error) { ends <- err }))
	p.dial(t, nil) // nobody reads
	if err := <-ends; !errors.Is(err, endpoint.ErrSilent) {
		t.Errorf("server: %v", err)
	}
}

// A context that ends a Read leaves the stream as it was.
func TestReadGoesOn(t *testing.T) {
	p := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		ended, cancel := context.WithCancel(r.Context())
		cancel()
		if _, _, err := conn.Read(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("server: %v", err)
		}
		short, cancel := context.WithTimeout(r.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := conn.Read(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("server: %v", err)
		}
		conn.Write(r.Context(), websocket.TextMessage, []byte("now"))
		ws.Echo(r.Context(), conn)
	})
	conn := p.dial(t, nil)
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := exchange(t.Context(), conn, []byte("a")); err != nil {
		t.Error(err)
	}
}

// A client that takes nothing is given up by its window, after the write timeout; the others on its connection live.
func TestSlowPeer(t *testing.T) {
	ends := make(chan error, 2)
	p := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/echo" {
			echo(nil, nil)(w, r)
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{WriteTimeout: 50 * time.Millisecond})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for err == nil {
			err = conn.Write(context.Background(), websocket.BinaryMessage, make([]byte, 100_000))
		}
		ends <- err
	})
	p.dial(t, nil) // reads nothing
	if err := <-ends; websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
		t.Errorf("server: %v", err)
	}
	conn, _, err := p.client.Dial(t.Context(), p.url+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := exchange(t.Context(), conn, []byte("a")); err != nil {
		t.Error(err)
	}
}

// Handshakes that do not succeed are a *websocket.HandshakeError with what the server said.
func TestRefusals(t *testing.T) {
	p := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/teapot":
			http.Error(w, "short and stout", http.StatusTeapot)
		case "/protocol":
			w.Header().Set("Sec-WebSocket-Protocol", "other")
		case "/large":
			w.Header().Set("X", strings.Repeat("x", 32<<10))
		case "/origin":
			websocket.Accept(w, r, nil)
		case "/admit":
			_, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipOriginCheck: true, Admit: func() error { return io.ErrNoProgress }})
			if !errors.Is(err, io.ErrNoProgress) {
				t.Errorf("Accept: %v", err)
			}
			http.Error(w, "full", http.StatusServiceUnavailable)
		}
	})
	rows := []struct {
		path   string
		status int
		body   string
	}{
		{"/teapot", http.StatusTeapot, "short and stout\n"}, {"/protocol", http.StatusOK, ""}, {"/large", 0, ""},
		{"/origin", http.StatusForbidden, "the Origin may not connect here\n"}, {"/admit", http.StatusServiceUnavailable, "full\n"},
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			_, response, err := p.client.Dial(t.Context(), p.url+row.path, &websocket.DialOptions{Header: http.Header{"Origin": {"https://" + strings.TrimPrefix(row.path, "/") + ".example"}}})
			var refused *websocket.HandshakeError
			if !errors.As(err, &refused) || refused.Status != row.status {
				t.Fatalf("%v", err)
			}
			if row.body == "" {
				return
			}
			if body, err := io.ReadAll(response.Body); string(body) != row.body || err != nil {
				t.Errorf("body %q, %v", body, err)
			}
		})
	}
	if _, _, err := p.client.Dial(t.Context(), p.url, &websocket.DialOptions{DialContext: new(net.Dialer).DialContext}); err == nil {
		t.Error("an option without effect is taken")
	}
}

// What HTTP/1.1 can still do is told apart from other failures.
func TestFallBack(t *testing.T) {
	p := serve(t, true, echo(nil, nil))
	p.server.TLS.NextProtos = []string{"http/1.1"}
	if _, _, err := p.client.Dial(t.Context(), p.url, nil); !errors.Is(err, http2.ErrNoHTTP2) {
		t.Errorf("%v", err)
	}
	conn, _, err := websocket.Dial(t.Context(), p.url, &websocket.DialOptions{TLSConfig: p.client.TLSConfig})
	if err != nil {
		t.Fatal(err)
	}
	conn.CloseNow()
	p.client.Close()
	if _, _, err := p.client.Dial(t.Context(), p.url, nil); !errors.Is(err, http2.ErrClientClosed) {
		t.Errorf("%v", err)
	}
}

// RFC 9113 6.8: a server that leaves lets the streams go on that it has taken.
func TestShutdown(t *testing.T) {
	p := serve(t, true, echo(nil, nil))
	conn := p.dial(t, nil)
	ended := make(chan error, 1)
	go func() { ended <- p.server.Config.Shutdown(context.Background()) }()
	for range 3 {
		if err := exchange(t.Context(), conn, make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
