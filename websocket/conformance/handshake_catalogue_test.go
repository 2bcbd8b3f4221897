package conformance_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// head is a good request; rows change it by replacing text.
const head = "GET /chat HTTP/1.1\r\nHost: server.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// listen starts a server that echoes, with the limits that the documentation
// recommends, and returns its address.
func listen(t *testing.T, d driver, opts *websocket.AcceptOptions) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.serve(w, r, opts, newLife()) // its error has been answered
	}))
	server.Config.MaxHeaderBytes = 16 << 10
	server.Config.ReadHeaderTimeout = 5 * time.Second
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
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
	for _, d := range drivers(t) {
		address := listen(t, d, nil)
		for _, row := range rows {
			t.Run(d.name+"/"+row.rule, func(t *testing.T) { checkAnswer(t, address, row.send, row.status) })
		}
		liveness(t, "ws://"+address)
	}
}

// checkAnswer sends a request and wants the status.
func checkAnswer(t *testing.T, address, send string, status int) {
	line := ws.Connect(t, address)
	// HS-22: a second request behind a refused one is never answered.
	second := strings.Repeat("GET /smuggled HTTP/1.1\r\nHost: server.test\r\n\r\n", 2)
	go io.WriteString(line, send+map[bool]string{true: second}[status != 101])
	reader := bufio.NewReader(line)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("status %d, want %d", response.StatusCode, status)
	}
	if status == 101 {
		return
	}
	if !response.Close {
		t.Error("the connection is kept")
	}
	if status == 426 && (response.Header.Get("Upgrade") != "websocket" || response.Header.Get("Sec-Websocket-Version") != "13") {
		t.Errorf("426 without what to upgrade to: %v", response.Header)
	}
	rest, _ := io.ReadAll(reader)
	if strings.Contains(string(rest), "HTTP/1.1 ") {
		t.Errorf("a second answer: %q", rest)
	}
}

// liveness is the call that follows every attack: an honest client is served.
func liveness(t *testing.T, url string) {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
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
	for _, d := range drivers(t) {
		address := listen(t, d, nil)
		for _, size := range []int{1, 64, 3000, 8 << 10, 64 << 10} {
			line := ws.Connect(t, address)
			message := text(strings.Repeat("x", size))
			go line.Write(message.Append([]byte(head+"\r\n"), true))
			peer := readAs(t, line)
			if got, err := peer.Receive(); err != nil || !got.Equal(message) {
				t.Fatalf("%s, %d bytes: got %v, %v", d.name, size, got, err)
			}
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
