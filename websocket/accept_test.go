package websocket_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// head is a good request; rows change it by replacing text.
const head = "GET /chat HTTP/1.1\r\nHost: server.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// listen starts a server that echoes, with the limits that the documentation
// recommends.
func listen(t *testing.T, opts *websocket.AcceptOptions) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, opts)
		if err == nil {
			defer conn.CloseNow()
			echo(r.Context(), conn)
		}
	}))
	server.Config.MaxHeaderBytes = 16 << 10
	server.Config.ReadHeaderTimeout = 5 * time.Second
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	line, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	line.SetDeadline(time.Now().Add(time.Minute))
	return line
}

// The catalogue HS over a real socket: what is answered, and that a refused
// connection is closed and nothing after the request is looked at (VC-22).
func TestHandshakeCatalogue(t *testing.T) {
	replaced := func(old, new string) string { return strings.Replace(head, old, new, 1) + "\r\n" }
	added := func(fields string) string { return head + fields + "\r\n" }
	rows := []struct {
		rule   string
		send   string
		status int
	}{
		{"good", added(""), 101},
		{"HS-04 head of 1 MiB", added("X: " + strings.Repeat("x", 1<<20) + "\r\n"), 431},
		{"HS-05 64 fields", added(strings.Repeat("X: x\r\n", 59)), 101},
		{"HS-05 65 fields", added(strings.Repeat("X: x\r\n", 60)), 431},
		{"HS-06 field of 8 KiB and 1", added("X: " + strings.Repeat("x", 8<<10-2) + "\r\n"), 431},
		{"HS-06 URL of 8 KiB and 1", replaced("/chat", "/"+strings.Repeat("x", 8<<10)), 414},
		{"HS-06 33 cookies", added("Cookie: a=b" + strings.Repeat("; a=b", 32) + "\r\n"), 431},
		{"HS-08 POST", replaced("GET", "POST"), 405},
		{"HS-08 HEAD", replaced("GET", "HEAD"), 405},
		{"HS-08 OPTIONS", replaced("GET", "OPTIONS"), 405},
		{"HS-08 lower case", replaced("GET", "get"), 405},
		{"HS-09 HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0"), 505},
		{"HS-09 HTTP/1.2", replaced("HTTP/1.1", "HTTP/1.2"), 101},
		{"HS-09 HTTP/3.0", replaced("HTTP/1.1", "HTTP/3.0"), 505},
		{"HS-09 version missing", replaced(" HTTP/1.1", ""), 400},
		{"HS-10 Upgrade missing", replaced("Upgrade: websocket\r\n", ""), 426},
		{"HS-10 Upgrade websocket2", replaced("websocket\r\n", "websocket2\r\n"), 426},
		{"HS-10 Upgrade in a list", replaced("websocket\r\n", "h2c, WebSocket\r\n"), 101},
		{"HS-11 Connection missing", replaced("Connection: Upgrade\r\n", ""), 400},
		{"HS-11 Connection keep-alive, Upgrade", replaced("Connection: Upgrade", "Connection: keep-alive, Upgrade"), 101},
		{"HS-12 version 8", replaced("Version: 13", "Version: 8"), 426},
		{"HS-12 version list", replaced("Version: 13", "Version: 13, 8"), 426},
		{"HS-13 key missing", replaced("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400},
		{"HS-13 key too short", replaced("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), 400},
		{"HS-14 Host missing", replaced("Host: server.test\r\n", ""), 400},
		{"HS-14 Host twice", added("Host: other.test\r\n"), 400},
		{"HS-14 Host with a user", replaced("server.test", "user@server.test"), 400},
		{"HS-14 Host with a path", replaced("server.test", "server.test/x"), 400},
		{"HS-15 key twice", added("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400},
		{"HS-15 version twice", added("Sec-WebSocket-Version: 13\r\n"), 426},
		{"HS-16 nine subprotocols", added("Sec-WebSocket-Protocol: a,b,c,d,e,f,g,h,i\r\n"), 400},
		{"HS-17 quote not closed", added("Sec-WebSocket-Extensions: a; b=\"" + strings.Repeat(`\c`, 4000) + "\r\n"), 400},
		{"HS-18 folded field", added("X: a\r\n b\r\n"), 101}, // joined by the HTTP server
		{"HS-18 space before the colon", added("X : a\r\n"), 400},
		{"HS-18 NUL", added("X: a\x00b\r\n"), 400},
		{"HS-19 other origin", added("Origin: http://evil.test\r\n"), 403},
		{"HS-19 own origin", added("Origin: http://server.test\r\n"), 101},
		{"HS-19 origin twice", added("Origin: http://server.test\r\nOrigin: http://server.test\r\n"), 403},
		{"HS-20 Content-Length 0", added("Content-Length: 0\r\n"), 101},
		{"HS-20 Content-Length 1", added("Content-Length: 1\r\n") + "x", 400},
		{"HS-20 Content-Length -1", added("Content-Length: -1\r\n"), 400},
		{"HS-20 two lengths", added("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
		{"HS-20 chunked", added("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
		{"HS-23 Upgrade h2c", replaced("websocket\r\n", "h2c\r\n"), 426},
		{"HS-23 CONNECT", replaced("GET /chat", "CONNECT server.test:443"), 405},
	}
	address := listen(t, nil)
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			line := connect(t, address)
			// HS-22: a second request behind a refused one is never answered.
			second := strings.Repeat("GET /smuggled HTTP/1.1\r\nHost: server.test\r\n\r\n", 2)
			go io.WriteString(line, row.send+map[bool]string{true: second}[row.status != 101])
			reader := bufio.NewReader(line)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != row.status {
				t.Fatalf("status %d, want %d", response.StatusCode, row.status)
			}
			if row.status == 101 {
				return
			}
			if !response.Close {
				t.Error("the connection is kept")
			}
			if row.status == 426 && (response.Header.Get("Upgrade") != "websocket" || response.Header.Get("Sec-Websocket-Version") != "13") {
				t.Errorf("426 without what to upgrade to: %v", response.Header)
			}
			rest, _ := io.ReadAll(reader)
			if strings.Contains(string(rest), "HTTP/1.1 ") {
				t.Errorf("a second answer: %q", rest)
			}
		})
	}
	liveness(t, "ws://"+address)
}

// liveness is the call that follows every attack: an honest client is served.
func liveness(t *testing.T, url string) {
	t.Helper()
	conn := dial(t, url, nil)
	if err := conn.Write(t.Context(), websocket.TextMessage, []byte("alive")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "alive" {
		t.Fatalf("got %q, %v", got, err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
}

// HS-21: frames in the same packet as the request are read after the answer.
func TestFramesBehindTheRequest(t *testing.T) {
	address := listen(t, nil)
	for _, size := range []int{1, 64, 3000, 8 << 10, 64 << 10} {
		line := connect(t, address)
		message := text(strings.Repeat("x", size))
		go line.Write(message.Append([]byte(head+"\r\n"), true))
		peer := readAs(t, line)
		if got, err := peer.Receive(); err != nil || !got.Equal(message) {
			t.Fatalf("%d bytes: got %v, %v", size, got, err)
		}
	}
}

// readAs reads the answer to a handshake and makes the rest of the line a peer's.
func readAs(t *testing.T, line net.Conn) *ws.Peer {
	t.Helper()
	peer, err := ws.ClientPeer(writeless{line}, "")
	if err != nil || peer.Answer.StatusCode != 101 {
		t.Fatal(peer, err)
	}
	peer.Line = line
	return peer
}

// writeless is a line whose handshake has been written already.
type writeless struct{ net.Conn }

func (writeless) Write(p []byte) (int, error) { return len(p), nil }

func TestAcceptChooses(t *testing.T) {
	address := listen(t, &websocket.AcceptOptions{
		Subprotocols: []string{"v2", "v1"},
		Compression:  websocket.CompressionNoContextTakeover,
		Header:       http.Header{"Set-Cookie": {"a=b"}},
	})
	conn, response, err := websocket.Dial(t.Context(), "ws://"+address, &websocket.DialOptions{
		Subprotocols: []string{"v1", "v2"}, Compression: websocket.CompressionNoContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != "v2" || response.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("subprotocol %q, fields %v", conn.Subprotocol(), response.Header)
	}
	if got := response.Header.Get("Sec-Websocket-Extensions"); got != "permessage-deflate; server_no_context_takeover; client_no_context_takeover" {
		t.Errorf("extensions %q", got)
	}
	if conn.RemoteAddr().String() != address || conn.LocalAddr() == nil {
		t.Errorf("addresses %v, %v", conn.RemoteAddr(), conn.LocalAddr())
	}
}

// VC-10, HS-28, HS-29: a server that cannot give its connection up answers so, and
// a wrong configuration is told to the operator only.
func TestAcceptCannot(t *testing.T) {
	request := func() *http.Request {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, row := range map[string]struct {
		w    http.ResponseWriter
		opts *websocket.AcceptOptions
	}{
		"not a hijacker": {httptest.NewRecorder(), nil},
		"bad pattern":    {httptest.NewRecorder(), &websocket.AcceptOptions{OriginPatterns: []string{"*"}}},
	} {
		_, err := websocket.Accept(row.w, request(), row.opts)
		var refused *websocket.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 500 || row.w.(*httptest.ResponseRecorder).Code != 500 {
			t.Errorf("%s: %v", name, err)
		}
		if body := row.w.(*httptest.ResponseRecorder).Body.String(); strings.Contains(body, "pattern") {
			t.Errorf("%s: the client is told %q", name, body)
		}
	}
	_, err := websocket.Accept(failingHijacker{httptest.NewRecorder()}, request(), nil)
	if !errors.Is(err, errHijack) {
		t.Errorf("hijack fails: %v", err)
	}
	server, client := ws.Lines(0)
	client.Reset()
	_, err = websocket.Accept(hijacker{httptest.NewRecorder(), server}, request(), nil)
	if !errors.Is(err, ws.ErrReset) {
		t.Errorf("the client has gone: %v", err)
	}
}

var errHijack = errors.New("no")

type failingHijacker struct{ *httptest.ResponseRecorder }

func (failingHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errHijack }

type hijacker struct {
	*httptest.ResponseRecorder
	line net.Conn
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.line, bufio.NewReadWriter(bufio.NewReader(h.line), bufio.NewWriter(h.line)), nil
}

// Over TLS the own origin is that of https.
func TestAcceptOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err == nil {
			defer conn.CloseNow()
			echo(r.Context(), conn)
		}
	}))
	defer server.Close()
	config := &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	url := "wss" + strings.TrimPrefix(server.URL, "https")
	for origin, ok := range map[string]bool{"": true, server.URL: true, "http" + strings.TrimPrefix(server.URL, "https"): false} {
		opts := &websocket.DialOptions{TLSConfig: config, Header: http.Header{}}
		if origin != "" {
			opts.Header.Set("Origin", origin)
		}
		conn, _, err := websocket.Dial(t.Context(), url, opts)
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err != nil {
			continue
		}
		payload := []byte(strings.Repeat("secret ", 10000))
		if err := conn.Write(t.Context(), websocket.TextMessage, payload); err != nil {
			t.Error(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != string(payload) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := websocket.Dial(t.Context(), url, nil); err == nil {
		t.Error("a certificate that nobody vouches for is accepted")
	}
}

// The close frame arrives although the peer's bytes were not all read: the line
// is not reset under it.
func TestCloseFrameArrives(t *testing.T) {
	address := listen(t, nil)
	for range 20 {
		peer, err := ws.ClientPeer(connect(t, address), "")
		if err != nil {
			t.Fatal(err)
		}
		wire := peer.Encode(ws.Fin(3, ""))
		peer.Line.Write(append(wire, make([]byte, 100<<10)...))
		got, err := peer.Receive()
		if status, _, _ := frame.DecodeClose(got.Payload); err != nil || status != 1002 {
			t.Fatalf("got %v, %v", got, err)
		}
		if _, err := peer.Receive(); err != io.EOF {
			t.Fatalf("after the close frame: %v", err)
		}
		peer.Line.Close()
	}
}
